import { AllowedIps } from '#kernel';
import type { IssueRequest } from '../issue-batch.ts';

/**
 * A token request of a credential.
 * @param overrides attributes that differ from the defaults, at least the client id
 */
export function issueRequest(
  overrides: Partial<IssueRequest['credential']> & Pick<IssueRequest['credential'], 'clientId'>,
  secretId = 'se_1',
): IssueRequest {
  const credential: IssueRequest['credential'] = {
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
  return { credential, secretId, scope: ['a'], ip: '192.0.2.1', requestId: 'r', deadlineAtMs: Infinity };
}
