export { CreateCredentialCommand } from './commands/create-credential.command.ts';
export { DeleteCredentialCommand } from './commands/delete-credential.command.ts';
export { EditCredentialCommand } from './commands/edit-credential.command.ts';
export { EditOperationCommand } from './commands/edit-operation.command.ts';
export { EndSecretCommand } from './commands/end-secret.command.ts';
export { EndTokensCommand } from './commands/end-tokens.command.ts';
export { RevokeSecretCommand } from './commands/revoke-secret.command.ts';
export { RotateSecretCommand } from './commands/rotate-secret.command.ts';
export { WriteNoticesCommand } from './commands/write-notices.command.ts';
export { CredentialsModule } from './credentials.module.ts';
export { NO_RULES, endOfSecret, workingSecrets } from './domain/inherited-rules.ts';
export { endStoredTokens } from './end-stored-tokens.ts';
export { CredentialLookup } from './persistence/credential-lookup.ts';
export { CredentialReader, recordOf } from './persistence/credential.reader.ts';
export { CredentialRepository } from './persistence/credential.repository.ts';
export { CredentialSearch } from './persistence/credential-search.ts';
export { GovernedCredentials } from './persistence/governed-credentials.ts';
export { FindCredentialFaultsQuery } from './queries/credential-faults.query.ts';
export { GetCredentialUsageQuery } from './queries/credential-usage.query.ts';
export {
  GetApiListQuery,
  GetCredentialQuery,
  ListCredentialsQuery,
  ListTokensQuery,
} from './queries/credential.queries.ts';
export { SearchCredentialsQuery } from './queries/search-credentials.query.ts';
export type { CredentialState } from './domain/credential.ts';
export type { CredentialRecord, StoredCredential } from './persistence/credential.reader.ts';
export type { GovernedCredential } from './domain/governed-credential.ts';
export type { InheritedRules } from './domain/inherited-rules.ts';
export type { CredentialUse } from './persistence/credential.repository.ts';
