import { Injectable } from '@nestjs/common';
import type { ClientSession, Model } from 'mongoose';
import { newId } from '#kernel';
import type { CallContext, DomainEvent, DomainEventData } from '#kernel';
import { MongoStore, TransactionConflict, isDuplicateKey } from '#mongo';
import { Metrics } from '#observability';
import { chainEvents, chainName, emptyHead } from './chain.ts';
import { chainHeadSchema, eventSchema, outboxSchema } from './event.schema.ts';
import type { ChainHeadDocument, EventDocument, OutboxDocument } from './event.schema.ts';
import type { EventDraft, LogEvent } from './chain.ts';
import { followUps } from './queues.ts';

/** A domain event with who did it and when, ready to be chained. */
export interface PendingEvent {
  readonly event: DomainEvent;
  readonly context: CallContext;
  readonly at: Date;
}

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
    this.heads = store.model('chain_heads', chainHeadSchema);
    this.outbox = store.model('outbox', outboxSchema);
  }

  /**
   * Appends the events to their chains and their follow-up work to the outbox, in the caller's transaction.
   *
   * @param held heads of chains that this transaction holds
   * @returns the events as logged, in the order given within each chain
   * @throws TransactionConflict when another writer was quicker on a chain
   */
  async append(
    session: ClientSession,
    pending: readonly PendingEvent[],
    held: readonly ChainHeadDocument[] = [],
  ): Promise<LogEvent[]> {
    if (pending.length === 0) return [];
    const chains = Map.groupBy(pending, ({ event }) => chainName(event.operationId));
    const heads = await this.readHeads(session, [...chains.keys()], held);
    const logged: LogEvent[] = [];
    const headWrites: Parameters<typeof this.heads.collection.bulkWrite>[0][number][] = [];
    for (const [chain, events] of chains) {
      const head = heads.get(chain);
      const appended = chainEvents(head ?? emptyHead(chain), events.map(draft));
      const last = appended.at(-1);
      if (last === undefined) continue;
      logged.push(...appended);
      const end = { seq: last.seq, hash: last.hash };
      headWrites.push(
        head === undefined
          ? { insertOne: { document: { _id: chain as never, ...end } } }
          : { updateOne: { filter: { _id: chain as never, seq: head.seq }, update: { $set: end } } },
      );
    }
    await this.write(session, logged, headWrites);
    return logged;
  }

  /**
   * Keeps other writers off the chain until the transaction ends: they, or this one, get a conflict at once.
   *
   * @returns the chain's head, for `append`; none where the chain has no events yet, and cannot be held
   */
  async hold(session: ClientSession, chain: string): Promise<ChainHeadDocument[]> {
    const head = await this.heads.collection.findOneAndUpdate(
      { _id: chain as never },
      { $inc: { turn: 1 } },
      { session, returnDocument: 'after' },
    );
    return head === null ? [] : [head as unknown as ChainHeadDocument];
  }

  /** Counts logged events. Called after the commit, since a transaction may run more than once. */
  count(events: readonly LogEvent[]): void {
    for (const event of events) this.metrics.events.inc({ type: event.type });
  }

  private async readHeads(
    session: ClientSession,
    chains: readonly string[],
    held: readonly ChainHeadDocument[],
  ): Promise<Map<string, ChainHeadDocument>> {
    const heads = new Map(held.map((head) => [head._id, head]));
    const others = chains.filter((chain) => !heads.has(chain));
    if (others.length === 0) return heads;
    const found = this.heads.collection.find({ _id: { $in: others as never[] } }, { session });
    for (const head of await found.toArray()) heads.set(String(head._id), head as unknown as ChainHeadDocument);
    return heads;
  }

  private async write(
    session: ClientSession,
    logged: readonly LogEvent[],
    headWrites: Parameters<typeof this.heads.collection.bulkWrite>[0],
  ): Promise<void> {
    const expected = headWrites.filter((write) => 'updateOne' in write).length;
    try {
      // the heads first: whoever loses the race for a chain learns it before the larger write
      const { matchedCount } = await this.heads.collection.bulkWrite(headWrites, { session, ordered: true });
      if (matchedCount !== expected) throw new TransactionConflict();
      await this.events.collection.insertMany(logged.map(document) as never[], { session, ordered: true });
    } catch (error) {
      if (isDuplicateKey(error)) throw new TransactionConflict('another writer was quicker', { cause: error });
      throw error;
    }
    const rows = logged.flatMap(outboxRow);
    if (rows.length > 0) await this.outbox.collection.insertMany(rows as never[], { session });
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
  const queue = followUps[event.type];
  if (queue === undefined) return [];
  const at = new Date(event.at);
  return [
    {
      _id: event.id,
      queue,
      eventId: event.id,
      eventType: event.type,
      operationId: event.operationId,
      subjectId: event.subject.id,
      requestId: event.requestId,
      createdAt: at,
      attempts: 0,
      nextAttemptAt: at,
    },
  ];
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
