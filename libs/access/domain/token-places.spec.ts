import { describe, expect, it } from '@jest/globals';
import { TokenLimitReached } from './access-error.ts';
import { choosePlace } from './token-places.ts';
import type { Place } from './token-places.ts';

const now = new Date('2026-11-23T12:00:00Z');
const inSeconds = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** A token in the slot that was issued and ends so many seconds from now. */
function place(slot: number, issued: number, ends: number): Place {
  return { _id: `digest-${slot}`, id: `tk_${slot}`, slot, issuedAt: inSeconds(issued), expiresAt: inSeconds(ends) };
}

describe('choosePlace', () => {
  it('takes the lowest free slot', () => {
    expect(choosePlace([place(0, -5, 60), place(2, -5, 60)], 3, 'reject', now)).toEqual({
      slot: 1,
      replaced: undefined,
      evicted: false,
    });
  });

  it('replaces an expired token that is not pruned yet', () => {
    const places = [place(0, -70, 10), place(1, -60, 0), place(2, -50, 20)];
    expect(choosePlace(places, 3, 'reject', now)).toEqual({ slot: 1, replaced: places[1], evicted: false });
  });

  it('rejects when all are live, until the first of them expires', () => {
    const places = [place(0, -5, 90), place(1, -1, 30.2), place(2, -3, 60)];
    expect(() => choosePlace(places, 3, 'reject', now)).toThrow(new TokenLimitReached(31));
    expect(() => choosePlace([place(0, -5, 0.001)], 1, 'reject', now)).toThrow(new TokenLimitReached(1));
  });

  it('evicts the oldest token, not the first to expire', () => {
    const places = [place(0, -5, 90), place(1, -1, 30), place(2, -3, 60)];
    expect(choosePlace(places, 3, 'evict_oldest', now)).toEqual({ slot: 0, replaced: places[0], evicted: true });
  });
});
