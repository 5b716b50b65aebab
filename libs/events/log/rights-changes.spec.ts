import { describe, expect, it } from '@jest/globals';
import { chainName, chainEvents, emptyHead } from '#chain';
import type { ChainHead, EventDraft } from '#chain';
import { eventCatalogue } from '#event-types';
import { DomainEvent } from '#kernel';
import type { PendingEvent } from '../unit-of-work/pending-event.ts';
import { newRights, rightsChangedBy } from './rights-changes.ts';
import type { HeadRights } from './rights-changes.ts';

const at = new Date('2026-11-23T12:00:00.000Z');
const subject = { type: 'credential', id: 'cr_1' };
const context = { actor: { type: 'user', id: 'us_1', ip: null }, requestId: 'r' } as const;

function pending(type: string, data: Record<string, string> = {}, endsTokens = false): PendingEvent {
  return { event: new DomainEvent(type, 'op_1', subject, data), endsTokens, context, at };
}

/** What is written into the head when the events are appended to a chain that ends there. */
function appended(head: (ChainHead & Partial<HeadRights & { _id: string }>) | undefined, ...events: PendingEvent[]) {
  const drafts = events.map(({ event }, index): EventDraft => ({
    ...{ id: `ev_${Math.random()}_${index}`, at: at.toISOString(), actor: context.actor, requestId: 'r' },
    ...{ operationId: 'op_1', type: event.type, subject, outcome: 'success', data: event.data },
  }));
  const last = chainEvents(head ?? emptyHead(chainName('op_1')), drafts).at(-1)!;
  return { last, changed: newRights(head, events, last) };
}

const stored = { _id: 'op_1', seq: 7, hash: 'f'.repeat(64), rights: 'r', ended: 'e', rightsSeq: 7 };

describe('the rights version', () => {
  const chained = eventCatalogue.filter(({ chain }) => chain !== 'none').map(({ type }) => type);

  it.each(chained.filter((type) => type !== 'token.issued.v1'))('is changed by each %s', (type) => {
    expect(rightsChangedBy({ type, data: {} })).toBe(
      ['token.revoked.v1', 'tokens.purged.v1'].includes(type) ? 'ended' : 'rights',
    );
  });

  it('is changed by what is granted, as by what is taken away', () => {
    for (const [before, after] of [
      [[], ['a']],
      [['a'], []],
    ] as const) {
      const data = { before: { apis: before }, after: { apis: after } };
      expect(rightsChangedBy({ type: 'credential.updated.v2', data })).toBe('rights');
    }
  });

  it('is changed by an event of an unlisted type', () => {
    expect(rightsChangedBy({ type: 'thing.happened.v1', data: {} })).toBe('rights');
  });

  it('is not changed by a token that ends no other, and changed by one that evicts', () => {
    expect(rightsChangedBy({ type: 'token.issued.v1', data: {} })).toBeUndefined();
    expect(rightsChangedBy({ type: 'token.issued.v1', data: { evictedTokenId: 'tk_1' } })).toBe('ended');
    expect(appended(stored, pending('token.issued.v1')).changed).toEqual({ rightsSeq: 8 });
  });

  it('changes in the part that the events affect, to a value that depends on the whole history', () => {
    const revoked = appended(stored, pending('token.issued.v1'), pending('token.revoked.v1'));
    expect(revoked.changed).toEqual({ rightsSeq: 9, ended: revoked.last.hash });
    const updated = appended(stored, pending('credential.updated.v1'), pending('token.issued.v1'));
    expect(updated.changed).toEqual({ rightsSeq: 9, rights: updated.last.hash });
    const both = appended(stored, pending('credential.secret-rotated.v1'), pending('token.revoked.v1'));
    expect(both.changed).toEqual({ rightsSeq: 9, rights: both.last.hash, ended: both.last.hash });
  });

  it('changes with a token that took the slot of a recently expired one', () => {
    const { last, changed } = appended(stored, pending('token.issued.v1', {}, true));
    expect(changed).toEqual({ rightsSeq: 8, ended: last.hash });
  });

  it('begins with the chain', () => {
    const { last, changed } = appended(undefined, pending('operation.created.v1'));
    expect(changed).toEqual({ rightsSeq: 1, rights: last.hash, ended: last.hash });
  });

  it('starts over if an older version of the service wrote last', () => {
    for (const head of [
      { _id: 'op_1', seq: 7, hash: stored.hash },
      { ...stored, rightsSeq: 6 },
    ]) {
      const { last, changed } = appended(head, pending('token.issued.v1'));
      expect(changed).toEqual({ rightsSeq: 8, rights: last.hash, ended: last.hash });
    }
  });

  it('never repeats: after a restore to the same head, another change gives another value', () => {
    const before = appended(stored, pending('credential.updated.v1'));
    const after = appended(stored, pending('credential.updated.v1'));
    expect(after.changed.rights).not.toBe(before.changed.rights);
  });
});
