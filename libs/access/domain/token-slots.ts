import { TokenLimitReached } from './access-error.ts';

/** A slot of a credential that holds a stored token. */
export interface OccupiedSlot {
  readonly _id: string;
  readonly id: string;
  readonly slot: number;
  readonly expiresAt: Date;
  readonly issuedAt: Date;
}

/** The slot of the next token, and the stored token that it replaces. */
export interface SlotChoice {
  readonly slot: number;
  readonly replaced: OccupiedSlot | undefined;
  /** Whether the replaced token was still live. The event then records that it was ended. */
  readonly evicted: boolean;
}

/**
 * Chooses the slot of a new token: a free one, otherwise that of an expired token, otherwise, if the policy allows it,
 * that of the oldest.
 *
 * @param slots the credential's stored tokens
 * @param limit the number of slots
 * @throws TokenLimitReached if all are live and the policy is `reject`
 */
export function chooseSlot(
  slots: readonly OccupiedSlot[],
  limit: number,
  policy: 'reject' | 'evict_oldest',
  now: Date,
): SlotChoice {
  for (let slot = 0; slot < limit && slots.length < limit; slot += 1)
    if (slots.every((taken) => taken.slot !== slot)) return { slot, replaced: undefined, evicted: false };
  const firstToEnd = earliest(slots, 'expiresAt');
  if (firstToEnd.expiresAt <= now) return { slot: firstToEnd.slot, replaced: firstToEnd, evicted: false };
  if (policy === 'reject') {
    throw new TokenLimitReached(Math.max(1, Math.ceil((firstToEnd.expiresAt.getTime() - now.getTime()) / 1000)));
  }
  const oldest = earliest(slots, 'issuedAt');
  return { slot: oldest.slot, replaced: oldest, evicted: true };
}

function earliest(slots: readonly OccupiedSlot[], by: 'expiresAt' | 'issuedAt'): OccupiedSlot {
  return slots.reduce((a, b) => (b[by] < a[by] ? b : a));
}
