import { randomUUID } from 'node:crypto';
import type { ChainHead, LogEvent } from '#chain';
import { TokenIssued, TokenRevoked, TokensPurged } from '#event-types';
import type { DomainEvent } from '#kernel';
import type { PendingEvent } from '../unit-of-work/pending-event.ts';

/** The parts of a rights version (docs/adr/0003-the-lease.md). */
export type RightsPart = 'rights' | 'ended';

/** The rights version in a chain head. */
export interface HeadRights {
  rights: string;
  ended: string;
  /**
   * The seq for which the version holds. If it differs from the head's, an older release wrote last; ignore the
   * version.
   */
  rightsSeq: number;
}

/** Events that only end tokens. */
const ENDING: readonly string[] = [TokenRevoked.type, TokensPurged.type];

/**
 * The part of the operation's rights version that an event changes. Every type changes one, except the issue of a token
 * that evicts no other; so a forgotten new type costs reads but never a wrong answer.
 */
export function rightsChangedBy({ type, data }: Pick<DomainEvent, 'type' | 'data'>): RightsPart | undefined {
  if (type === TokenIssued.type) return data['evictedTokenId'] === undefined ? undefined : 'ended';
  return ENDING.includes(type) ? 'ended' : 'rights';
}

/**
 * The rights version to write into the chain head. A new value is the hash of the last event: it depends on all earlier
 * events and on random ids, so it never repeats, not even after a restore.
 *
 * @param head the previous head; undefined for a new chain
 */
export function newRights(
  head: ChainHead | undefined,
  pending: readonly PendingEvent[],
  last: LogEvent,
): Partial<HeadRights> & Pick<HeadRights, 'rightsSeq'> {
  const isKnown = head !== undefined && isLabelled(head);
  const parts = new Set(pending.map(({ event, endsTokens }) => rightsChangedBy(event) ?? (endsTokens && 'ended')));
  return {
    rightsSeq: last.seq,
    ...(isKnown && !parts.has('rights') ? {} : { rights: last.hash }),
    ...(isKnown && !parts.has('ended') ? {} : { ended: last.hash }),
  };
}

/** A value for a change without an event. */
export function unloggedRights(): string {
  return randomUUID();
}

/** A head without `_id` comes from this instance's cache, so this release wrote it. */
function isLabelled(head: ChainHead & Partial<HeadRights & { _id: string }>): boolean {
  return head._id === undefined || head.rightsSeq === head.seq;
}
