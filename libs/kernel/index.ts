export { AllowedIps, parseAddress, parseAllowedIp } from './addresses.ts';
export { widestPrefix } from './address-union.ts';
export { AllowedIpsError, canonicalAllowedIps } from './allowed-ip-list.ts';
export { Aggregate } from './aggregate.ts';
export { Clock } from './clock.ts';
export { checkAll, faultsOf } from './check-all.ts';
export { DomainError } from './domain-error.ts';
export { EndablePause } from './endable-pause.ts';
export { differences } from './differences.ts';
export { Refusal } from './refusal.ts';
export { DomainEvent } from './domain-event.ts';
export { checkVersion } from './expected-version.ts';
export { newId } from './ids.ts';
export { literalPattern } from './literal-pattern.ts';
export { NameError, checkDescription, nameKey, normaliseLine, normaliseName } from './names.ts';
export {
  clientIdOfAccessToken,
  digest,
  digestsEqual,
  isWellFormedClientId,
  isWellFormedSecret,
  kindOfSecret,
  newAccessToken,
  newApiKey,
  newClientId,
  newClientSecret,
  newResourceServerSecret,
  newSessionToken,
} from './opaque-tokens.ts';
export { SecretSet, isLiveSecret, listSecrets, matchSecret } from './secret-set.ts';
export { whenReady } from './when-ready.ts';
export { NO_POLICY } from './operation-rules.ts';
export { ROLES } from './roles.ts';
export { parseTrustedProxies } from './trusted-proxies.ts';
export type { ExpectedTag, ExpectedVersion } from './expected-version.ts';
export type { FieldFault } from './domain-error.ts';
export type { ErrorCode } from './error-code.ts';
export type { Actor, CallContext, DryRunObserver, Subject } from './domain-event.ts';
export type { DomainEventData } from './domain-event-data.ts';
export type { OperationPolicy, OperationRules } from './operation-rules.ts';
export type { Role } from './roles.ts';
export type { LiveSecret, Rotation, SecretView, StoredSecret } from './secret-set.ts';
