import type { IssueRequest } from '../issue-batch.ts';
import { credentialRecord } from './credential-record.ts';

/**
 * A token request of a credential.
 *
 * @param overrides attributes that differ from the defaults, at least the client id
 */
export function issueRequest(overrides: Parameters<typeof credentialRecord>[0], secretId = 'se_1'): IssueRequest {
  const credential = credentialRecord(overrides);
  return { credential, secretId, scope: ['a'], ip: '192.0.2.1', requestId: 'r', deadlineAtMs: Infinity };
}
