import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { newId } from '#kernel';
import type { DomainEventData } from '#kernel';
import { CHAIN_HEADS, MongoStore, TransactionConflict, insertAll, isDuplicateKey, updateAll } from '#mongo';
import type { Update } from '#mongo';
import { Metrics } from '#observability';
import { chainEvents, chainName, emptyHead } from '../chain/chain.ts';
import { chainHeadSchema, eventSchema, outboxSchema } from './event.schema.ts';
import type { ChainHeadDocument, EventDocument, OutboxDocument } from './event.schema.ts';
import type { ChainHead, EventDraft, LogEvent } from '../chain/chain.ts';
import type { PendingEvent } from '../unit-of-work/pending-event.ts';
import { followUps } from '../outbox/follow-ups.ts';
import { newRights, unloggedRights } from '../chain/rights-changes.ts';
import type { RightsPart } from '../chain/rights-changes.ts';

/** Appends to the event log. There is no way to change or remove an event here, by intent. */
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
   * @param ends where chains end, as far as that is known: because this transaction holds them, or from the last time
   * @returns the events as logged, in the order given within each chain
   * @throws TransactionConflict when another writer was quicker on a chain, or it does not end where that was said
   */
  async append(
    session: ClientSession,
    pending: readonly PendingEvent[],
    ends: ReadonlyMap<string, ChainHead> = new Map(),
  ): Promise<LogEvent[]> {
    if (pending.length === 0) return [];
    const chains = Map.groupBy(pending, ({ event }) => chainName(event.operationId));
    const heads = await this.readHeads(session, [...chains.keys()], ends);
    const logged: LogEvent[] = [];
    const begun: ChainHeadDocument[] = [];
    const moved: Update[] = [];
    for (const [chain, events] of chains) {
      const head = heads.get(chain);
      const appended = chainEvents(head ?? emptyHead(chain), events.map(draft));
      const last = appended.at(-1);
      if (last === undefined) continue;
      logged.push(...appended);
      const end = { seq: last.seq, hash: last.hash, ...newRights(head, events, last) };
      if (head === undefined) begun.push({ _id: chain, ...end });
      else moved.push({ q: { _id: chain, seq: head.seq, hash: head.hash }, u: { $set: end } });
    }
    await this.write(session, logged, begun, moved);
    return logged;
  }

  /**
   * Keeps other writers off the chain until the transaction ends: they, or this one, get a conflict at once.
   *
   * @returns where the chain ends, for `append`; nothing where it has no events yet, and cannot be held
   */
  async hold(session: ClientSession, chain: string): Promise<ReadonlyMap<string, ChainHead>> {
    const head = await this.heads.collection.findOneAndUpdate(
      { _id: chain as never },
      { $inc: { turn: 1 } },
      { session, returnDocument: 'after' },
    );
    return new Map(head === null ? [] : [[chain, head as unknown as ChainHeadDocument]]);
  }

  /**
   * Changes the rights version of the operation without an event: for tokens that were deleted after they had expired, which may still be
   * live by another instance's clock, and for changes that were made by hand. Without a head there is nothing to remember by.
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

  /** Counts logged events. Called after the commit, since a transaction may run more than once. */
  count(events: readonly LogEvent[]): void {
    for (const event of events) this.metrics.events.inc({ type: event.type });
  }

  private async readHeads(
    session: ClientSession,
    chains: readonly string[],
    ends: ReadonlyMap<string, ChainHead>,
  ): Promise<ReadonlyMap<string, ChainHead>> {
    const heads = new Map(ends);
    const others = chains.filter((chain) => !heads.has(chain));
    if (others.length === 0) return heads;
    const found = this.heads.collection.find({ _id: { $in: others as never[] } }, { session });
    for (const head of await found.toArray()) heads.set(String(head._id), head as unknown as ChainHeadDocument);
    return heads;
  }

  private async write(
    session: ClientSession,
    logged: readonly LogEvent[],
    begun: readonly ChainHeadDocument[],
    moved: readonly Update[],
  ): Promise<void> {
    await insertAll(this.outbox, logged.flatMap(outboxRow), session);
    try {
      // heads and events last: until the commit, nobody else can write to these chains
      if (moved.length > 0 && (await updateAll(this.heads, moved, session)) !== moved.length)
        throw new TransactionConflict();
      await insertAll(this.heads, begun, session);
      await insertAll(this.events, logged.map(document), session);
    } catch (error) {
      if (isDuplicateKey(error)) throw new TransactionConflict('another writer was quicker', { cause: error });
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

/** Whether an append failed because an event with its place in the chain is stored already. */
export function isPlaceTaken(error: unknown): boolean {
  return error instanceof TransactionConflict && isDuplicateKey(error.cause);
}

/** The logged event of a stored one: exactly what its hash was made of, and the hash. */
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
    data: stored.data as DomainEventData, // it went in as such
    requestId: stored.requestId,
    prevHash: stored.prevHash,
    hash: stored.hash,
  };
}
