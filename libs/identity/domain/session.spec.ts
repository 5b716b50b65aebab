import { describe, expect, it } from '@jest/globals';
import { UserSessions, endsOf, isLive, isTouchDue } from './session.ts';
import type { SessionState } from './session.ts';

const MINUTE = 60_000;
const limits = { idleMs: 30 * MINUTE, maxMs: 12 * 60 * MINUTE };
const start = Date.parse('2026-11-23T10:00:00.000Z');
const session = (lastSeenMs = start): SessionState => ({
  id: 'ss_1',
  digest: 'd',
  userId: 'us_1',
  method: 'password',
  createdAt: new Date(start),
  lastSeenAt: new Date(lastSeenMs),
  ip: null,
  userAgent: null,
});

describe('a session', () => {
  it('ends after the idle limit without a request', () => {
    expect(isLive(session(), limits, start + limits.idleMs - 1)).toBe(true);
    expect(isLive(session(), limits, start + limits.idleMs)).toBe(false);
    expect(isLive(session(start + 20 * MINUTE), limits, start + limits.idleMs)).toBe(true);
  });

  it('ends after the maximum lifetime, even if it is used', () => {
    const used = session(start + limits.maxMs - MINUTE);
    expect(isLive(used, limits, start + limits.maxMs - 1)).toBe(true);
    expect(isLive(used, limits, start + limits.maxMs)).toBe(false);
    expect(endsOf(used, limits).idleExpiresAt).toEqual(endsOf(used, limits).expiresAt);
  });

  it.each([
    ['30 minutes', 30 * MINUTE, MINUTE],
    ['12 hours', 720 * MINUTE, MINUTE],
    ['1 minute', MINUTE, 2_000],
  ])('with an idle limit of %s records its use no more often than necessary', (_limit, idleMs, stepMs) => {
    expect(isTouchDue(session(), { ...limits, idleMs }, start + stepMs - 1)).toBe(false);
    expect(isTouchDue(session(), { ...limits, idleMs }, start + stepMs)).toBe(true);
  });
});

describe('the sessions of a person', () => {
  it('record their start and end, without the cookie', () => {
    const own = new UserSessions('us_1');
    const made = own.start(
      { digest: 'canary', userId: 'us_1', method: 'password', ip: '192.0.2.1', userAgent: 'x' },
      new Date(start),
    );
    own.end([made.id], 'signed-out');
    own.end([], 'ended');
    const events = own.pullEvents();
    expect(events).toMatchObject([
      { type: 'session.started.v1', subject: { type: 'user', id: 'us_1' }, data: { method: 'password' } },
      { type: 'sessions.ended.v1', data: { sessionIds: [made.id], reason: 'signed-out' } },
    ]);
    expect(JSON.stringify(events)).not.toContain('canary');
  });
});
