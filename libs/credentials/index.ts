export { ContinueApiRemovalsCommand } from './commands/continue-api-removals.command.ts';
export { CreateCredentialCommand } from './commands/create-credential.command.ts';
export { CredentialLookup } from './persistence/credential-lookup.ts';
export { CredentialReader } from './persistence/credential.reader.ts';
export { CredentialRepository } from './persistence/credential.repository.ts';
export { CredentialsModule } from './credentials.module.ts';
export { DeleteCredentialCommand } from './commands/delete-credential.command.ts';
export { EditCredentialCommand } from './commands/edit-credential.command.ts';
export { EditOperationApisCommand } from './commands/edit-operation-apis.command.ts';
export { EditOperationCommand } from './commands/edit-operation.command.ts';
export { EndSecretCommand } from './commands/end-secret.command.ts';
export { EndTokensCommand } from './commands/end-tokens.command.ts';
export {
  GetApiListQuery,
  GetCredentialQuery,
  ListCredentialsQuery,
  ListTokensQuery,
} from './queries/credential.queries.ts';
export { GetCredentialUsageQuery } from './queries/credential-usage.query.ts';
export { FindCredentialFaultsQuery } from './queries/credential-faults.query.ts';
export { ListApiCredentialsQuery } from './queries/api-credentials.query.ts';
export { GovernedCredentials } from './history/governed-credentials.ts';
export { PastRecords } from './history/past-records.ts';
export { RemoveApiCommand } from './commands/remove-api.command.ts';
export { RevokeSecretCommand } from './commands/revoke-secret.command.ts';
export { SearchCredentialsQuery } from './queries/search-credentials.query.ts';
export { RotateSecretCommand } from './commands/rotate-secret.command.ts';
export { WriteNoticesCommand } from './commands/write-notices.command.ts';
export { TakeAccessReviewCommand } from './reviews/take-access-review.command.ts';
export { endStoredTokens } from './end-stored-tokens.ts';
export { endOfSecret } from './domain/inherited-rules.ts';
export type { DecidedPart } from './history/past-records.ts';
export type { GovernedCredential } from './domain/governed-credential.ts';
export type { CredentialState } from './domain/credential.ts';
export type { CredentialRecord, StoredCredential } from './persistence/credential.reader.ts';
export type { CredentialUse } from './persistence/credential.repository.ts';
