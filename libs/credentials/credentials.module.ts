import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { TokensModule } from '#tokens';
import { UsageModule } from '#usage';
import { ApiDeletion } from './api-deletion.ts';
import { ApiRemovals } from './api-removals.ts';
import { ApiUse } from './api-use.ts';
import { ApiWithdrawal } from './api-withdrawal.ts';
import { ContinueApiRemovalsHandler } from './commands/continue-api-removals.command.ts';
import { CreateCredentialHandler } from './commands/create-credential.command.ts';
import { DeleteCredentialHandler } from './commands/delete-credential.command.ts';
import { EditCredentialHandler } from './commands/edit-credential.command.ts';
import { EditOperationApisHandler } from './commands/edit-operation-apis.command.ts';
import { EditOperationHandler } from './commands/edit-operation.command.ts';
import { EndSecretHandler } from './commands/end-secret.command.ts';
import { EndTokensHandler } from './commands/end-tokens.command.ts';
import { RemoveApiHandler } from './commands/remove-api.command.ts';
import { RevokeSecretHandler } from './commands/revoke-secret.command.ts';
import { RotateSecretHandler } from './commands/rotate-secret.command.ts';
import { WriteNoticesHandler } from './commands/write-notices.command.ts';
import { ApiHolders } from './history/api-holders.ts';
import { CredentialHistory } from './history/credential-history.ts';
import { GovernedCredentials } from './history/governed-credentials.ts';
import { PastRecords } from './history/past-records.ts';
import { TakeAccessReviewHandler } from './reviews/take-access-review.command.ts';
import { ListApiCredentialsHandler } from './queries/api-credentials.query.ts';
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
    ApiDeletion,
    ApiHolders,
    ApiRemovals,
    ApiUse,
    ApiWithdrawal,
    ContinueApiRemovalsHandler,
    CreateCredentialHandler,
    CredentialHistory,
    CredentialLookup,
    CredentialReader,
    CredentialRepository,
    CredentialSearch,
    DeleteCredentialHandler,
    EditCredentialHandler,
    EditOperationApisHandler,
    EditOperationHandler,
    EndSecretHandler,
    EndingCredentials,
    FindCredentialFaultsHandler,
    EndTokensHandler,
    GetApiListHandler,
    GetCredentialHandler,
    GetCredentialUsageHandler,
    GovernedCredentials,
    ListApiCredentialsHandler,
    ListCredentialsHandler,
    ListTokensHandler,
    NoticeRepository,
    PastRecords,
    RemoveApiHandler,
    RevokeSecretHandler,
    RotateSecretHandler,
    SearchCredentialsHandler,
    WriteNoticesHandler,
    TakeAccessReviewHandler,
  ],
  exports: [CredentialLookup, CredentialReader, CredentialRepository, GovernedCredentials, PastRecords],
})
export class CredentialsModule {}
