import { describe, expect, it } from '@jest/globals';
import { digest } from '#kernel';
import { ResourceServer } from './resource-server.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = new Date('2026-11-23T11:00:00.000Z');
const made = (): ResourceServer =>
  ResourceServer.create({ name: 'Gate', apis: ['b', 'a', 'b'], requireClientIp: true }, digest('canary-1'), at);

describe('ResourceServer', () => {
  it('is created with one secret without expiry, and its event contains no digest', () => {
    const server = made();
    expect(server.state).toMatchObject({ apis: ['a', 'b'], version: 1 });
    expect(server.state.secrets).toMatchObject([{ digest: digest('canary-1'), expiresAt: null }]);
    const events = server.pullEvents();
    expect(events).toMatchObject([
      {
        type: 'resource-server.created.v1',
        operationId: null,
        subject: { type: 'resource-server', id: server.state.id },
        data: { secretId: server.state.secrets[0]?.id, name: 'Gate', apis: ['a', 'b'], requireClientIp: true },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain(digest('canary-1'));
  });

  it('applies changes, and records no event for an edit that changes nothing', () => {
    const server = made();
    server.pullEvents();
    expect(server.edit({ apis: ['b', 'a'], name: 'Gate', requireClientIp: true }, later)).toBe(false);
    expect(server.edit({ apis: [], requireClientIp: false }, later)).toBe(true);
    expect(server.state).toMatchObject({ apis: [], requireClientIp: false, version: 2, updatedAt: later });
    expect(server.pullEvents()).toMatchObject([
      {
        type: 'resource-server.updated.v2',
        data: {
          before: { apis: ['a', 'b'], requireClientIp: true },
          after: { apis: [], requireClientIp: false },
        },
      },
    ]);
  });

  it('rotates its secret and records when the old one ends', () => {
    const server = made();
    server.pullEvents();
    const before = server.state.secrets[0]?.id;
    server.rotateSecret({ overlapSeconds: 60, compromised: false, endOldest: false }, digest('canary-2'), later);
    expect(server.state.version).toBe(2);
    const [event] = server.pullEvents();
    expect(event?.type).toBe('resource-server.secret-rotated.v2');
    expect(event?.data).toEqual({
      secretId: server.state.secrets[0]?.id,
      previousSecretId: before,
      previousEndsAt: '2026-11-23T11:01:00.000Z',
      endedSecretIds: [],
      compromised: false,
    });
    server.rotateSecret({ overlapSeconds: 60, compromised: true, endOldest: false }, digest('canary-3'), later);
    expect(server.pullEvents()).toMatchObject([
      { data: { endedSecretIds: [expect.any(String), before], compromised: true } },
    ]);
  });
});
