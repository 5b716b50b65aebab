import { describe, expect, it } from '@jest/globals';
import { User } from './user.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = new Date('2026-11-23T11:00:00.000Z');
const ada = (): User => {
  const user = User.create(
    {
      username: 'Ada',
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
    expect(user.isPlatformAdmin).toBe(true);
    const [event] = user.pullEvents();
    expect(event?.data).toEqual({
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
});
