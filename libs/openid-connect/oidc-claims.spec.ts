import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '#config';
import { claimedPerson } from './oidc-claims.ts';

const stores = { MONGODB_URI: 'mongodb://127.0.0.1/latchkey', REDIS_URL: 'redis://127.0.0.1' };
const provider = { OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'latchkey', OIDC_ROLES_CLAIM: 'groups' };
const MAPPING = {
  billing: { role: 'operation-admin', operationIds: ['op_1'] },
  audit: { role: 'auditor' },
  'audit-a': { role: 'auditor', operationIds: ['op_a'] },
  'audit-b': { role: 'auditor', operationIds: ['op_b'] },
};

function rightsOf(groups: unknown, mapping?: object): unknown {
  const env = mapping === undefined ? {} : { OIDC_ROLE_MAPPING: JSON.stringify(mapping) };
  const { oidc } = loadConfig({ ...stores, ...provider, ...env });
  const person = claimedPerson({ sub: 'ada', groups, operations: ['op_9'] }, oidc!);
  return [person?.roles, person?.operationIds, person?.auditedOperationIds];
}

describe('claimedPerson', () => {
  it.each([
    ['names of roles without a mapping', ['auditor', 'root', 7], undefined, [['auditor'], ['op_9'], undefined]],
    [
      'one text with spaces',
      'auditor operation-admin',
      undefined,
      [['operation-admin', 'auditor'], ['op_9'], undefined],
    ],
    ['no claim', undefined, MAPPING, [[], ['op_9'], undefined]],
    [
      'only what the mapping names',
      ['platform-admin', 'billing'],
      MAPPING,
      [['operation-admin'], ['op_1', 'op_9'], undefined],
    ],
    ['an auditor of several groups', ['audit-a', 'audit-b'], MAPPING, [['auditor'], ['op_9'], ['op_a', 'op_b']]],
    ['a group that audits all', ['audit-a', 'audit'], MAPPING, [['auditor'], ['op_9'], undefined]],
    ['names of the prototype', ['constructor', '__proto__'], MAPPING, [[], ['op_9'], undefined]],
  ])('takes %s', (_what, groups, mapping, rights) => {
    expect(rightsOf(groups, mapping)).toEqual(rights);
  });
});
