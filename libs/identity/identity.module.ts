import { Module } from '@nestjs/common';
import { GuessLimitsModule } from '#guess-limits';
import { OpenIdConnectModule } from '#openid-connect';
import { PasswordsModule } from '#passwords';
import { ApiKeyHolders } from './api-key-holders.ts';
import { ApiKeySignIn } from './api-key-sign-in.ts';
import { BearerSignIn } from './bearer-sign-in.ts';
import { CreateApiKeyHandler } from './commands/create-api-key.command.ts';
import { DeleteApiKeyHandler } from './commands/delete-api-key.command.ts';
import { BeginOidcSignInHandler, FinishOidcSignInHandler } from './commands/oidc-sign-in.command.ts';
import { ChangePasswordHandler } from './commands/change-password.command.ts';
import { CreateUserHandler } from './commands/create-user.command.ts';
import { DeleteUserHandler } from './commands/delete-user.command.ts';
import { EditUserHandler } from './commands/edit-user.command.ts';
import { EndSessionsHandler } from './commands/end-sessions.command.ts';
import { SignInHandler } from './commands/sign-in.command.ts';
import { FirstAdmin } from './first-admin.ts';
import { FirstAdminCreation } from './first-admin-creation.ts';
import { OidcPeople } from './oidc-people.ts';
import { PasswordSignIn } from './password-sign-in.ts';
import { PeopleModule } from './people.module.ts';
import { PrincipalAuthenticator } from './principal-authenticator.ts';
import { GetApiKeyHandler, ListApiKeysHandler } from './queries/api-key.queries.ts';
import { ListSessionsHandler } from './queries/list-sessions.query.ts';
import { GetMeHandler, GetUserHandler, ListUsersHandler } from './queries/user.queries.ts';
import { SessionSignIn } from './session-sign-in.ts';
import { SignInTimes } from './sign-in-times.ts';
import { SessionStarter } from './session-starter.ts';

@Module({
  imports: [GuessLimitsModule, OpenIdConnectModule, PasswordsModule, PeopleModule],
  providers: [
    ApiKeyHolders,
    ApiKeySignIn,
    BearerSignIn,
    BeginOidcSignInHandler,
    ChangePasswordHandler,
    CreateApiKeyHandler,
    CreateUserHandler,
    DeleteApiKeyHandler,
    DeleteUserHandler,
    EditUserHandler,
    EndSessionsHandler,
    FinishOidcSignInHandler,
    FirstAdmin,
    FirstAdminCreation,
    GetApiKeyHandler,
    GetMeHandler,
    GetUserHandler,
    ListApiKeysHandler,
    ListSessionsHandler,
    ListUsersHandler,
    OidcPeople,
    PasswordSignIn,
    PrincipalAuthenticator,
    SessionSignIn,
    SessionStarter,
    SignInHandler,
    SignInTimes,
  ],
  exports: [FirstAdmin, PeopleModule, PrincipalAuthenticator],
})
export class IdentityModule {}
