import { Module } from '@nestjs/common';
import { ChangePasswordHandler } from './commands/change-password.command.ts';
import { CreateUserHandler } from './commands/create-user.command.ts';
import { DeleteUserHandler } from './commands/delete-user.command.ts';
import { EditUserHandler } from './commands/edit-user.command.ts';
import { FirstAdmin, FirstAdminServices } from './first-admin.ts';
import { GuessLimiter } from './guess-limiter.ts';
import { OidcTokens } from './oidc-tokens.ts';
import { PasswordPolicy } from './password-policy.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { Passwords } from './passwords.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { PrincipalAuthenticator } from './principal-authenticator.ts';
import { GetMeHandler, GetUserHandler, ListUsersHandler } from './queries/user.queries.ts';

@Module({
  providers: [
    ChangePasswordHandler,
    CreateUserHandler,
    DeleteUserHandler,
    EditUserHandler,
    FirstAdmin,
    FirstAdminServices,
    GetMeHandler,
    GetUserHandler,
    GuessLimiter,
    ListUsersHandler,
    OidcTokens,
    PasswordPolicy,
    PasswordSignIn,
    Passwords,
    PrincipalAuthenticator,
    UserRepository,
  ],
  exports: [FirstAdmin, GuessLimiter, PrincipalAuthenticator],
})
export class IdentityModule {}
