import { describe, expect, it } from '@jest/globals';
import { namedParts } from './call.ts';
import { isDestructive, questionFor } from './destructive.ts';
import type { Thing } from './page-state.ts';

const CREDENTIAL = '/v1/operations/{operationId}/credentials/{credentialId}';
const ids = { operationId: 'op_1', credentialId: 'cr_1', secretId: 'se_1', resourceServerId: 'rs_1' };
const names: Readonly<Record<string, string>> = { operationId: 'Finance', credentialId: 'Invoice robot' };

function question(summary: string, template: string, known = names): string {
  const parts = namedParts(template, ids).map((part) => {
    const name = known[part.parameter];
    return [part, name === undefined ? undefined : ({ state: 'found', name } satisfies Thing)] as const;
  });
  return questionFor(summary, parts);
}

describe('destructive calls', () => {
  it.each([
    ['Delete a credential', CREDENTIAL, 'Delete Invoice robot?'],
    ['Delete an operation', '/v1/operations/{operationId}', 'Delete Finance?'],
    ['End a secret', `${CREDENTIAL}/secrets/{secretId}`, 'End a secret of Invoice robot?'],
    ['End all tokens', `${CREDENTIAL}/tokens`, 'End all tokens of Invoice robot?'],
    ['Rotate the secret', `${CREDENTIAL}/rotate-secret`, 'Rotate the secret of Invoice robot?'],
    [
      'Rotate the secret of a resource server',
      '/v1/resource-servers/{resourceServerId}/rotate-secret',
      'Rotate the secret of resource server rs_1?',
    ],
    ['Sign out', '/v1/session', 'Sign out?'],
  ])('%s at %s asks: %s', (summary, template, asked) => {
    expect(question(summary, template)).toBe(asked);
  });

  it('names the id where the name is not known', () => {
    expect(question('Delete a credential', CREDENTIAL, {})).toBe('Delete credential cr_1?');
  });

  it('are deletions and rotations, and no other writes', () => {
    expect(isDestructive(CREDENTIAL, 'delete')).toBe(true);
    expect(isDestructive(`${CREDENTIAL}/rotate-secret`, 'post')).toBe(true);
    expect(isDestructive(CREDENTIAL, 'patch')).toBe(false);
    expect(isDestructive('/v1/operations', 'post')).toBe(false);
  });
});
