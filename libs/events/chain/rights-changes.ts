import { randomUUID } from 'node:crypto';
import { TokenIssued, TokenRevoked, TokensPurged } from '#event-types';
import type { DomainEvent } from '#kernel';
import type { ChainHead, LogEvent } from './chain.ts';
import type { PendingEvent } from '../unit-of-work/pending-event.ts';

/** The parts of a rights version (docs/adr/0003-the-lease.md). */
export type RightsPart = 'rights' | 'ended';

/** What a chain's head tells of rights, beside where the chain ends. */
export interface HeadRights {
  rights: string;
  ended: string;
  /** The seq that they speak of. Where it is not the head's, another version of the service wrote last: then they say nothing. */
  rightsSeq: number;
}

/** Events that end tokens and change nothing else. */
const ENDING: readonly string[] = [TokenRevoked.type, TokensPurged.type];

/**
 * Which part of its operation's rights version an event changes. All do, except the issue of a token that ends no other: a new type that
 * nobody thought of here costs reads, and never a wrong answer.
 */
export function rightsChangedBy({ type, data }: Pick<DomainEvent, 'type' | 'data'>): RightsPart | undefined {
  if (type === TokenIssued.type) return data['evictedTokenId'] === undefined ? undefined : 'ended';
  return ENDING.includes(type) ? 'ended' : 'rights';
}

/**
 * What to write into a chain's head with these events. A new value is the hash of the last of them: it depends on everything before it and
 * on random ids, so it never comes back, not even after a restore.
 *
 * @param head as it was; undefined where the chain begins
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

/** A value for a change that no event tells of. */
export function unloggedRights(): string {
  return randomUUID();
}

/** An end that this instance remembers is one that it wrote itself. */
function isLabelled(head: ChainHead & Partial<HeadRights & { _id: string }>): boolean {
  return head._id === undefined || head.rightsSeq === head.seq;
}
