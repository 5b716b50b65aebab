import { Module } from '@nestjs/common';
import { ChangePasswordHandler } from './commands/change-password.command.ts';
import { CreateUserHandler } from './commands/create-user.command.ts';
import { DeleteUserHandler } from './commands/delete-user.command.ts';
import { EditUserHandler } from './commands/edit-user.command.ts';
import { EndSessionsHandler } from './commands/end-sessions.command.ts';
import { SignInHandler } from './commands/sign-in.command.ts';
import { FirstAdmin, FirstAdminServices } from './first-admin.ts';
import { GuessLimiter } from './guess-limiter.ts';
import { NewPasswords } from './new-passwords.ts';
import { OidcTokens } from './oidc-tokens.ts';
import { PasswordPolicy } from './password-policy.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { Passwords } from './passwords.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { PrincipalAuthenticator } from './principal-authenticator.ts';
import { ListSessionsHandler } from './queries/list-sessions.query.ts';
import { GetMeHandler, GetUserHandler, ListUsersHandler } from './queries/user.queries.ts';
import { SessionEnding } from './session-ending.ts';
import { SessionSignIn } from './session-sign-in.ts';
import { SessionStarter } from './session-starter.ts';

@Module({
  providers: [
    ChangePasswordHandler,
    CreateUserHandler,
    DeleteUserHandler,
    EditUserHandler,
    EndSessionsHandler,
    FirstAdmin,
    FirstAdminServices,
    GetMeHandler,
    GetUserHandler,
    GuessLimiter,
    ListSessionsHandler,
    ListUsersHandler,
    NewPasswords,
    OidcTokens,
    PasswordPolicy,
    PasswordSignIn,
    Passwords,
    PrincipalAuthenticator,
    SessionEnding,
    SessionRepository,
    SessionSignIn,
    SessionStarter,
    SignInHandler,
    UserRepository,
  ],
  exports: [FirstAdmin, GuessLimiter, PrincipalAuthenticator],
})
export class IdentityModule {}
