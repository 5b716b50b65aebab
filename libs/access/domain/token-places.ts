import { TokenLimitReached } from './access-error.ts';

/** A token's place among those of its credential. */
export interface Place {
  readonly _id: string;
  readonly id: string;
  readonly slot: number;
  readonly expiresAt: Date;
  readonly issuedAt: Date;
}

/** Where the next token goes, and which stored token has to make way for it. */
export interface Placement {
  readonly slot: number;
  readonly replaced: Place | undefined;
  /** Whether the replaced token was still live: it is ended, and the event says so. */
  readonly evicted: boolean;
}

/**
 * Chooses the place of a new token: a free one, else that of an expired token (which counts no more, pruned or not),
 * else by policy that of the oldest.
 *
 * @param places the credential's stored tokens
 * @param limit how many places there are
 * @throws TokenLimitReached when all are live and the policy is `reject`
 */
export function choosePlace(
  places: readonly Place[],
  limit: number,
  policy: 'reject' | 'evict_oldest',
  now: Date,
): Placement {
  for (let slot = 0; slot < limit && places.length < limit; slot += 1)
    if (places.every((place) => place.slot !== slot)) return { slot, replaced: undefined, evicted: false };
  const firstToEnd = earliest(places, 'expiresAt');
  if (firstToEnd.expiresAt <= now) return { slot: firstToEnd.slot, replaced: firstToEnd, evicted: false };
  if (policy === 'reject') {
    throw new TokenLimitReached(Math.max(1, Math.ceil((firstToEnd.expiresAt.getTime() - now.getTime()) / 1000)));
  }
  const oldest = earliest(places, 'issuedAt');
  return { slot: oldest.slot, replaced: oldest, evicted: true };
}

function earliest(places: readonly Place[], by: 'expiresAt' | 'issuedAt'): Place {
  return places.reduce((a, b) => (b[by] < a[by] ? b : a));
}
