import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { chainName, chainEvents, emptyHead } from '#chain';
import type { ChainHead, EventDraft, LogEvent, ChainName } from '#chain';
import { CHAIN_HEADS } from '#fence';
import { newId } from '#kernel';
import type { DomainEventData } from '#kernel';
import { MongoStore, TransactionConflict, insertAll, isDuplicateKey, updateAll } from '#mongo';
import type { Update } from '#mongo';
import { Metrics } from '#observability';
import { chainHeadSchema, eventSchema, outboxSchema } from './event.schema.ts';
import type { ChainHeadDocument, EventDocument, OutboxDocument } from './event.schema.ts';
import type { PendingEvent } from '../unit-of-work/pending-event.ts';
import { followUps } from '../outbox/follow-ups.ts';
import { newRights, unloggedRights } from './rights-changes.ts';
import type { RightsPart } from './rights-changes.ts';

/** Appends to the event log. By design, it cannot change or remove an event. */
@Injectable()
export class EventLog {
  readonly events: Model<EventDocument>;
  readonly heads: Model<ChainHeadDocument>;
  readonly outbox: Model<OutboxDocument>;

  constructor(
    store: MongoStore,
    private readonly metrics: Metrics,
  ) {
    this.events = store.model('events', eventSchema);
    this.heads = store.model(CHAIN_HEADS, chainHeadSchema);
    this.outbox = store.model('outbox', outboxSchema);
  }

  /**
   * Appends the events to their chains and their follow-up work to the outbox, in the caller's transaction.
   *
   * @param ends known chain heads: of chains that this transaction holds, or from the cache
   * @returns the logged events, in the given order within each chain
   * @throws TransactionConflict when another writer wrote to a chain first, or a given head is out of date
   */
  async append(
    session: ClientSession,
    pending: readonly PendingEvent[],
    ends: ReadonlyMap<ChainName, ChainHead> = new Map(),
  ): Promise<LogEvent[]> {
    if (pending.length === 0) return [];
    const chains = Map.groupBy(pending, ({ event }) => chainName(event.operationId));
    const heads = await this.readHeads(session, [...chains.keys()], ends);
    const logged: LogEvent[] = [];
    const newHeads: ChainHeadDocument[] = [];
    const headUpdates: Update[] = [];
    for (const [chain, events] of chains) {
      const head = heads.get(chain);
      const appended = chainEvents(head ?? emptyHead(chain), events.map(draft));
      const last = appended.at(-1);
      if (last === undefined) continue;
      logged.push(...appended);
      const end = { seq: last.seq, hash: last.hash, ...newRights(head, events, last) };
      if (head === undefined) newHeads.push({ _id: chain, ...end });
      else headUpdates.push({ q: { _id: chain, seq: head.seq, hash: head.hash }, u: { $set: end } });
    }
    await this.write(session, logged, newHeads, headUpdates);
    return logged;
  }

  /**
   * Locks the chain for the rest of the transaction: other writers, or this one, get a conflict immediately.
   *
   * @returns the chain head, for `append`; empty for a chain without events, which cannot be locked
   */
  async hold(session: ClientSession, chain: ChainName): Promise<ReadonlyMap<ChainName, ChainHead>> {
    const head = await this.heads.collection.findOneAndUpdate(
      { _id: chain },
      { $inc: { turn: 1 } },
      { session, returnDocument: 'after' },
    );
    return new Map(head === null ? [] : [[chain, head as unknown as ChainHeadDocument]]);
  }

  /**
   * Changes the rights version of an operation without an event: for deleted tokens that had expired but may still be
   * live by another instance's clock, and for manual changes. Without a head, nothing is cached by version.
   *
   * @returns whether the chain has a head
   */
  async touchRights(
    session: ClientSession,
    operationId: string | null,
    parts: readonly RightsPart[],
  ): Promise<boolean> {
    const $set = Object.fromEntries(parts.map((part) => [part, unloggedRights()]));
    return (await updateAll(this.heads, [{ q: { _id: chainName(operationId) }, u: { $set } }], session)) === 1;
  }

  /** Counts logged events. Call it after the commit, because a transaction may run more than once. */
  count(events: readonly LogEvent[]): void {
    for (const event of events) this.metrics.events.inc({ type: event.type });
  }

  private async readHeads(
    session: ClientSession,
    chains: readonly ChainName[],
    ends: ReadonlyMap<ChainName, ChainHead>,
  ): Promise<ReadonlyMap<ChainName, ChainHead>> {
    const heads = new Map(ends);
    const others = chains.filter((chain) => !heads.has(chain));
    if (others.length === 0) return heads;
    const found = this.heads.collection.find({ _id: { $in: others as never[] } }, { session });
    for (const head of await found.toArray()) {
      const known = head as unknown as ChainHeadDocument;
      heads.set(known._id, known);
    }
    return heads;
  }

  private async write(
    session: ClientSession,
    logged: readonly LogEvent[],
    newHeads: readonly ChainHeadDocument[],
    headUpdates: readonly Update[],
  ): Promise<void> {
    await insertAll(this.outbox, logged.flatMap(outboxRow), session);
    try {
      // heads and events last: they block other writers of these chains until the commit
      if (headUpdates.length > 0 && (await updateAll(this.heads, headUpdates, session)) !== headUpdates.length)
        throw new TransactionConflict();
      await insertAll(this.heads, newHeads, session);
      await insertAll(this.events, logged.map(document), session);
    } catch (error) {
      if (isDuplicateKey(error))
        throw new TransactionConflict('another writer wrote to the chain first', { cause: error });
      throw error;
    }
  }
}

function draft({ event, context, at }: PendingEvent): EventDraft {
  return {
    id: newId('ev'),
    operationId: event.operationId,
    type: event.type,
    at: at.toISOString(),
    actor: { type: context.actor.type, id: context.actor.id, ip: context.actor.ip },
    subject: event.subject,
    outcome: event.outcome,
    data: event.data,
    requestId: context.requestId,
  };
}

function document({ id, at, ...event }: LogEvent): EventDocument {
  return { _id: id, chain: chainName(event.operationId), ...event, at: new Date(at) };
}

function outboxRow(event: LogEvent): OutboxDocument[] {
  const queue = followUps.get(event.type);
  if (queue === undefined) return [];
  const { operationId } = event;
  if (operationId === null) throw new TypeError('only an event of an operation can have follow-up work');
  const at = new Date(event.at);
  return [
    {
      _id: event.id,
      queue,
      eventId: event.id,
      eventType: event.type,
      operationId,
      subjectId: event.subject.id,
      requestId: event.requestId,
      createdAt: at,
      attempts: 0,
      nextAttemptAt: at,
    },
  ];
}

/** Whether an append failed because an event with the same position in the chain exists. */
export function isPositionTaken(error: unknown): boolean {
  return error instanceof TransactionConflict && isDuplicateKey(error.cause);
}

/** Converts a stored event: exactly the hashed members, and the hash. */
export function toLogEvent(stored: EventDocument): LogEvent {
  return {
    id: stored._id,
    seq: stored.seq,
    operationId: stored.operationId,
    type: stored.type,
    at: stored.at.toISOString(),
    actor: stored.actor,
    subject: stored.subject,
    outcome: stored.outcome,
    data: stored.data as DomainEventData, // written as such
    requestId: stored.requestId,
    prevHash: stored.prevHash,
    hash: stored.hash,
  };
}
