export { anyVersion } from './any-version.ts';
// one export per event type, so more than the usual 35
export {
  ApiCreated,
  ApiDeleted,
  ApiRemovalStarted,
  ApiUpdated,
  ResourceServerCreated,
  ResourceServerDeleted,
  ResourceServerSecretEnded,
  ResourceServerSecretRevoked,
  ResourceServerSecretRotated,
  ResourceServerSecretsReconciled,
  ResourceServerUpdated,
} from './administration-events.ts';
export {
  CredentialCreated,
  CredentialDeleted,
  CredentialExpiring,
  CredentialSecretEnded,
  CredentialSecretRevoked,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  CredentialUpdated,
  RotationEndingInUse,
  SecretExpiring,
  TokenIssued,
  TokenRevoked,
  TokensPruned,
  TokensPurged,
} from './credential-events.ts';
export { eventCatalogue } from './event-catalogue.ts';
export {
  CheckpointKeyRotated,
  CheckpointsRequested,
  EVENT_LOG,
  EventsArchived,
  EventsExported,
  EventsRead,
  JobRetried,
  LogReconciled,
  LogRepaired,
  RefusalsArchived,
  SignInRefused,
} from './log-events.ts';
export { OperationApisChanged, OperationCreated, OperationDeleted, OperationUpdated } from './operation-events.ts';
export {
  ApiKeyCreated,
  ApiKeyDeleted,
  SessionStarted,
  SessionsEnded,
  UserCreated,
  UserDeleted,
  UserUpdated,
} from './people-events.ts';
export { AccessReviewDecided, AccessReviewTaken } from './review-events.ts';
export type { FollowUpQueue } from './event-description.ts';
export type { EventData } from './event-type.ts';
export type { RefusalReason } from './refusal-reason.ts';
