import type { CredentialRecord } from '#credentials';
import { AllowedIps } from '#kernel';

/**
 * An active credential without restrictions.
 *
 * @param overrides attributes that differ from the defaults, at least the client id
 */
export function credentialRecord(
  overrides: Partial<CredentialRecord> & Pick<CredentialRecord, 'clientId'>,
): CredentialRecord {
  return {
    id: `cr_${overrides.clientId}`,
    operationId: 'op_1',
    apis: ['a'],
    allowedIps: new AllowedIps([]),
    allowedIpTexts: [],
    blocked: undefined,
    expiresAtMs: Infinity,
    tokenTtlSeconds: 60,
    tokenLimitPolicy: 'reject',
    secrets: [],
    version: 1,
    ...overrides,
  };
}
