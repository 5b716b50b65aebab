import { describe, expect, it } from '@jest/globals';
import { TokenLimitReached } from './access-error.ts';
import { chooseSlot } from './token-slots.ts';
import type { OccupiedSlot } from './token-slots.ts';

const now = new Date('2026-11-23T12:00:00Z');
const inSeconds = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** A token in the slot that was issued and ends so many seconds from now. */
function taken(slot: number, issued: number, ends: number): OccupiedSlot {
  return { _id: `digest-${slot}`, id: `tk_${slot}`, slot, issuedAt: inSeconds(issued), expiresAt: inSeconds(ends) };
}

describe('chooseSlot', () => {
  it('takes the lowest free slot', () => {
    expect(chooseSlot([taken(0, -5, 60), taken(2, -5, 60)], 3, 'reject', now)).toEqual({
      slot: 1,
      replaced: undefined,
      evicted: false,
    });
  });

  it('replaces an expired token that is not pruned yet', () => {
    const slots = [taken(0, -70, 10), taken(1, -60, 0), taken(2, -50, 20)];
    expect(chooseSlot(slots, 3, 'reject', now)).toEqual({ slot: 1, replaced: slots[1], evicted: false });
  });

  it('rejects when all are live, until the first of them expires', () => {
    const slots = [taken(0, -5, 90), taken(1, -1, 30.2), taken(2, -3, 60)];
    expect(() => chooseSlot(slots, 3, 'reject', now)).toThrow(new TokenLimitReached(31));
    expect(() => chooseSlot([taken(0, -5, 0.001)], 1, 'reject', now)).toThrow(new TokenLimitReached(1));
  });

  it('evicts the oldest token, not the first to expire', () => {
    const slots = [taken(0, -5, 90), taken(1, -1, 30), taken(2, -3, 60)];
    expect(chooseSlot(slots, 3, 'evict_oldest', now)).toEqual({ slot: 0, replaced: slots[0], evicted: true });
  });
});
