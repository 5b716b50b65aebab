import { describe, expect, it } from '@jest/globals';
import { User } from './user.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = new Date('2026-11-23T11:00:00.000Z');
const ada = (): User => {
  const user = User.create(
    {
      username: 'Ada',
      kind: 'person',
      auditedOperationIds: null,
      passwordHash: '$argon2id$canary',
      roles: ['auditor', 'auditor'],
      operationIds: ['op_2', 'op_1'],
    },
    at,
  );
  return user;
};

describe('User', () => {
  it('is created with unique roles and operations, and its event contains no password', () => {
    const user = ada();
    expect(user.state).toMatchObject({ roles: ['auditor'], operationIds: ['op_1', 'op_2'], version: 1 });
    const [event, ...rest] = user.pullEvents();
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      type: 'user.created.v2',
      operationId: null,
      subject: { type: 'user', id: user.state.id },
      data: { before: null, after: { username: 'Ada', roles: ['auditor'], operationIds: ['op_1', 'op_2'] } },
    });
    expect(JSON.stringify(event)).not.toContain('canary');
  });

  it('records the rights before and after a change, without a password', () => {
    const user = ada();
    user.pullEvents();
    const changes = { username: 'ada', passwordHash: '$argon2id$canary-2', roles: ['platform-admin'] };
    expect(user.edit({ ...changes, operationIds: ['op_2', 'op_1', 'op_1'] }, later)).toBe(true);
    expect(user.state).toMatchObject({ ...changes, version: 2, createdAt: at, updatedAt: later });
    expect(user.isEnabledPlatformAdmin).toBe(true);
    const [event] = user.pullEvents();
    expect(event?.data).toMatchObject({
      before: { username: 'Ada', roles: ['auditor'], operationIds: ['op_1', 'op_2'] },
      after: { username: 'ada', roles: ['platform-admin'], operationIds: ['op_1', 'op_2'] },
      passwordChanged: true,
    });
  });

  it('records no event for an edit that changes nothing', () => {
    const user = ada();
    user.pullEvents();
    expect(user.edit({ username: 'Ada', roles: ['auditor'], operationIds: ['op_2', 'op_1'] }, later)).toBe(false);
    expect(user.state).toMatchObject({ version: 1, updatedAt: at });
    expect(user.pullEvents()).toEqual([]);
  });

  it('of the OpenID Connect provider is changed by claims alone', () => {
    const rights = { roles: ['auditor'], operationIds: [], auditedOperationIds: null };
    const oidc = { issuer: 'https://id.example', subject: '42' };
    const user = User.adopt({ id: 'us_1', username: 'ada', ...rights, oidc, claimsFrom: at }, at);
    expect(() => user.edit({ roles: ['platform-admin'] }, later)).toThrow(
      expect.objectContaining({ code: 'managed-by-provider' }),
    );
    expect(() => user.edit({ passwordHash: 'x' }, later)).toThrow(
      expect.objectContaining({ code: 'no-local-password' }),
    );
    expect(user.edit({ roles: ['auditor'], username: 'ada' }, later)).toBe(false);
    expect(user.edit({ status: 'disabled', auditedOperationIds: ['op_1'] }, later)).toBe(true);
    expect(user.follow({ username: 'ada', roles: ['platform-admin'] }, later, later)).toBe(true);
    expect(user.state).toMatchObject({ roles: ['platform-admin'], status: 'disabled', auditedOperationIds: ['op_1'] });
    expect(user.isEnabledPlatformAdmin).toBe(false);
  });

  it('of the kind service cannot become platform-admin', () => {
    const service = { kind: 'service', username: 'robot', passwordHash: null } as const;
    const rights = { operationIds: [], auditedOperationIds: null };
    const refusal = expect.objectContaining({
      code: 'validation',
      errors: [expect.objectContaining({ pointer: '/roles/0' })],
    });
    expect(() => User.create({ ...service, ...rights, roles: ['platform-admin'] }, at)).toThrow(refusal);
    const robot = User.create({ ...service, ...rights, roles: ['auditor'] }, at);
    expect(() => robot.edit({ roles: ['platform-admin'] }, later)).toThrow(refusal);
  });
});
