import { describe, expect, it } from '@jest/globals';
import { pastSecrets } from './past-secrets.ts';
import type { PastEvent } from './past-state.ts';

const minute = (n: number): Date => new Date(Date.UTC(2026, 10, 1, 0, n));
const event = (n: number, type: string, data: PastEvent['data']): PastEvent => ({ seq: n, type, at: minute(n), data });
const idsAt = (events: readonly PastEvent[], n: number, current: Parameters<typeof pastSecrets>[1] = []): string[] =>
  pastSecrets(events, current, minute(n)).map(({ id }) => id);

const created = event(10, 'credential.created.v1', { secretId: 'a' });
const rotated = (n: number, secretId: string, previousSecretId: string, endsAt: Date): PastEvent =>
  event(n, 'credential.secret-rotated.v2', {
    ...{ secretId, previousSecretId, previousEndsAt: endsAt.toISOString(), endedSecretIds: [], compromised: false },
  });

describe('the secrets of a past moment', () => {
  it('are those that were made before and had not ended', () => {
    const events = [created, rotated(20, 'b', 'a', minute(25))];
    expect([9, 10, 20, 24, 25].map((n) => idsAt(events, n))).toEqual([[], ['a'], ['a', 'b'], ['a', 'b'], ['b']]);
  });

  it('end at once when a rotation, an administrator or a leak ends them', () => {
    const compromised = event(20, 'credential.secret-rotated.v2', {
      ...{ secretId: 'b', previousSecretId: 'a', previousEndsAt: minute(20).toISOString() },
      ...{ endedSecretIds: ['a'], compromised: true },
    });
    expect(idsAt([created, compromised], 20)).toEqual(['b']);
    const overlapping = [created, rotated(20, 'b', 'a', minute(60))];
    for (const type of ['credential.secret-ended.v1', 'credential.secret-revoked.v1']) {
      const ended = event(30, type, { secretId: 'a', remainingSecretId: 'b', remainingEndsAt: null });
      expect([29, 30].map((n) => idsAt([...overlapping, ended], n))).toEqual([['a', 'b'], ['b']]);
    }
    const reconciled = event(30, 'credential.secrets-reconciled.v1', { secretIds: ['a'] });
    expect(idsAt([...overlapping, reconciled], 30)).toEqual(['b']);
  });

  it('are not changed by what happened later', () => {
    const current = [
      { id: 'b', createdAt: minute(20), expiresAt: null },
      { id: 'a', createdAt: minute(10), expiresAt: minute(25) },
    ];
    const events = [created, rotated(20, 'b', 'a', minute(25))];
    expect(pastSecrets(events, current, minute(15))).toEqual([{ id: 'a', createdAt: minute(10), expiresAt: null }]);
  });

  it('are known by what is stored when the events that made them are archived', () => {
    const current = [
      { id: 'b', createdAt: minute(20), expiresAt: null },
      { id: 'a', createdAt: minute(10), expiresAt: minute(25) },
    ];
    expect([15, 24, 25].map((n) => idsAt([], n, current))).toEqual([['a'], ['b', 'a'], ['b']]);
    const ended = event(30, 'credential.secret-ended.v1', { secretId: 'z', remainingSecretId: 'b' });
    expect(pastSecrets([ended], [], minute(29))).toEqual([{ id: 'z', createdAt: undefined, expiresAt: null }]);
  });

  it('of version 0.1.0 end by the overlap of the rotation', () => {
    const first = event(20, 'credential.secret-rotated.v1', { secretId: 'b', overlapSeconds: 300, compromised: false });
    const second = event(22, 'credential.secret-rotated.v1', { secretId: 'c', overlapSeconds: 60, compromised: false });
    expect([21, 22, 23].map((n) => idsAt([created, first, second], n))).toEqual([['a', 'b'], ['b', 'c'], ['c']]);
  });
});
