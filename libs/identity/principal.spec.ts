import { describe, expect, it } from '@jest/globals';
import type { Role } from '#kernel';
import { coversOperation, maySeeOperation } from './principal.ts';
import type { Principal } from './principal.ts';

const someone = (roles: Role[], operationIds: string[] = []): Principal => ({
  userId: 'us_1',
  username: 'ada',
  roles,
  operationIds,
  kind: 'person',
  auditedOperationIds: null,
});

describe('the rights of a person in an operation', () => {
  it('let platform-admins and auditors see all operations, operation-admins their own', () => {
    expect(maySeeOperation(someone(['platform-admin']), 'op_1')).toBe(true);
    expect(maySeeOperation(someone(['auditor']), 'op_1')).toBe(true);
    expect(maySeeOperation(someone(['operation-admin'], ['op_1']), 'op_1')).toBe(true);
    expect(maySeeOperation(someone(['operation-admin'], ['op_2']), 'op_1')).toBe(false);
    expect(maySeeOperation(someone([], ['op_1']), 'op_1')).toBe(false);
  });

  it('are not extended for writes by the role auditor of an operation-admin', () => {
    const both = someone(['operation-admin', 'auditor'], ['op_1']);
    const writers: Role[] = ['platform-admin', 'operation-admin'];
    expect(maySeeOperation(both, 'op_2')).toBe(true);
    expect(coversOperation(both, writers, 'op_1')).toBe(true);
    expect(coversOperation(both, writers, 'op_2')).toBe(false);
    expect(coversOperation(both, [...writers, 'auditor'], 'op_2')).toBe(true);
  });
});
