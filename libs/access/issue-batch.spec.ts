import { describe, expect, it } from '@jest/globals';
import { clientIdOfAccessToken, newClientId } from '#kernel';
import { TokenLimitReached } from './domain/access-error.ts';
import { prepareIssue, settleBatch } from './issue-batch.ts';
import type { IssueRequest } from './issue-batch.ts';
import { issueRequest } from './test-support/issue-request.ts';

const now = new Date('2026-11-23T12:00:00.750Z');

const request = (overrides: Partial<IssueRequest['credential']> = {}): IssueRequest =>
  issueRequest({ clientId: newClientId(), ...overrides });

describe('settleBatch', () => {
  it('gives twelve requests of one credential ten slots, and refuses two', () => {
    const one = request();
    const { outcomes, tokens, events } = settleBatch(
      Array.from({ length: 12 }, () => prepareIssue(one)),
      () => false,
      new Map(),
      now,
    );
    expect(outcomes.filter((outcome) => outcome instanceof TokenLimitReached)).toHaveLength(2);
    expect(tokens.map(({ slot }) => slot).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(events).toHaveLength(10);
  });

  it('keeps ten of thirteen by eviction, and records each eviction in the event', () => {
    const one = request({ tokenLimitPolicy: 'evict_oldest' });
    const { outcomes, tokens, replaced, events } = settleBatch(
      Array.from({ length: 13 }, () => prepareIssue(one)),
      () => false,
      new Map(),
      now,
    );
    expect(outcomes.every((outcome) => !(outcome instanceof Error))).toBe(true);
    expect(tokens).toHaveLength(10);
    expect(new Set(tokens.map(({ slot }) => slot)).size).toBe(10);
    expect(replaced).toEqual([]); // what was never stored need not be deleted
    expect(events.filter(({ event }) => 'evictedTokenId' in event.data)).toHaveLength(3);
  });

  it('reports requests as stale if their credential changed in the meantime', () => {
    const [fresh, stale] = [request(), request()];
    const { outcomes, tokens } = settleBatch(
      [prepareIssue(fresh), prepareIssue(stale)],
      (issue) => issue.request === stale,
      new Map(),
      now,
    );
    expect(outcomes[1]).toEqual({ stale: true });
    expect(tokens.map(({ clientId }) => clientId)).toEqual([fresh.credential.clientId]);
  });

  it('lets a token expire at a whole second, as introspection shows it', () => {
    const { tokens } = settleBatch([prepareIssue(request())], () => false, new Map(), now);
    expect(tokens[0]?.expiresAt).toEqual(new Date('2026-11-23T12:01:00.000Z'));
  });

  it('creates tokens that contain their client, and puts none of them into an event', () => {
    const one = request();
    const prepared = prepareIssue(one);
    const { events, tokens } = settleBatch([prepared], () => false, new Map(), now);
    expect(clientIdOfAccessToken(prepared.accessToken)).toBe(one.credential.clientId);
    expect(JSON.stringify([events, tokens])).not.toContain(prepared.accessToken);
  });
});
