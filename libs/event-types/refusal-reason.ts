/** Why a caller was refused. Only the event log and the metrics tell; the caller gets the same answer for each. */
export const REFUSAL_REASONS = [
  'address',
  'bad-bearer-token',
  'bad-subject',
  'disabled',
  'expired',
  'expired-secret',
  'foreign-token',
  'no-address',
  'no-live-session',
  'no-role',
  'scope',
  'suspended',
  'token-limit',
  'unknown-api-key',
  'unknown-client',
  'unknown-resource-server',
  'unknown-user',
  'wrong-password',
  'wrong-secret',
] as const;

export type RefusalReason = (typeof REFUSAL_REASONS)[number];
