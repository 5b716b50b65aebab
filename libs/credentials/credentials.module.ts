import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { TokensModule } from '#tokens';
import { UsageModule } from '#usage';
import { CreateCredentialHandler } from './commands/create-credential.command.ts';
import { DeleteCredentialHandler } from './commands/delete-credential.command.ts';
import { EditCredentialHandler } from './commands/edit-credential.command.ts';
import { EditOperationHandler } from './commands/edit-operation.command.ts';
import { EndSecretHandler } from './commands/end-secret.command.ts';
import { EndTokensHandler } from './commands/end-tokens.command.ts';
import { RevokeSecretHandler } from './commands/revoke-secret.command.ts';
import { RotateSecretHandler } from './commands/rotate-secret.command.ts';
import { WriteNoticesHandler } from './commands/write-notices.command.ts';
import { GovernedCredentials } from './persistence/governed-credentials.ts';
import { CredentialLookup } from './persistence/credential-lookup.ts';
import { CredentialSearch } from './persistence/credential-search.ts';
import { SearchCredentialsHandler } from './queries/search-credentials.query.ts';
import { EndingCredentials } from './persistence/ending-credentials.ts';
import { NoticeRepository } from './persistence/notice.repository.ts';
import { CredentialReader } from './persistence/credential.reader.ts';
import { CredentialRepository } from './persistence/credential.repository.ts';
import { GetCredentialUsageHandler } from './queries/credential-usage.query.ts';
import { FindCredentialFaultsHandler } from './queries/credential-faults.query.ts';
import {
  GetApiListHandler,
  GetCredentialHandler,
  ListCredentialsHandler,
  ListTokensHandler,
} from './queries/credential.queries.ts';

@Module({
  imports: [CatalogueModule, TokensModule, UsageModule],
  providers: [
    CreateCredentialHandler,
    CredentialLookup,
    CredentialReader,
    CredentialRepository,
    CredentialSearch,
    DeleteCredentialHandler,
    EditCredentialHandler,
    EditOperationHandler,
    EndSecretHandler,
    EndingCredentials,
    FindCredentialFaultsHandler,
    EndTokensHandler,
    GetApiListHandler,
    GetCredentialHandler,
    GetCredentialUsageHandler,
    GovernedCredentials,
    ListCredentialsHandler,
    ListTokensHandler,
    NoticeRepository,
    RevokeSecretHandler,
    RotateSecretHandler,
    SearchCredentialsHandler,
    WriteNoticesHandler,
  ],
  exports: [CredentialLookup, CredentialReader, CredentialRepository, CredentialSearch, GovernedCredentials],
})
export class CredentialsModule {}
