import type { ClientSession } from 'mongoose';
import mongoose from 'mongoose';
import type { PendingEvent } from '#events';
import { newId } from '#kernel';
import { TransactionConflict } from '#mongo';
import { chainName } from '../../libs/chain/chain-name.ts';
import { chainEvents, emptyHead } from '../../libs/chain/chain.ts';
import type { ChainHead, LogEvent } from '../../libs/chain/chain.ts';

/** How long a statement's round trip and a majority's acknowledgement take, in milliseconds. */
export interface StoreDelays {
  readonly rttMs: number;
  readonly commitMs: number;
}

/**
 * One operation's chain head on MongoDB, as far as writers can be in each other's way there: snapshots, and a conflict
 * immediately for whoever writes to what another transaction holds, or has changed since the snapshot.
 */
export class SimulatedStore {
  head: ChainHead;
  /** Commits so far. */
  version = 0;
  holder: SimulatedSession | undefined;
  conflicts = 0;

  constructor(
    readonly chain: string,
    private readonly delays: StoreDelays,
  ) {
    this.head = emptyHead(chainName(chain));
  }

  roundTrip(): Promise<void> {
    return this.delay(this.delays.rttMs);
  }

  acknowledgement(): Promise<void> {
    return this.delay(this.delays.commitMs);
  }

  /** As of a real network: a quarter more or less, and one in a hundred ten times as long. */
  private delay(meanMs: number): Promise<void> {
    const tail = Math.random() < 0.01 ? 10 : 1;
    const ms = meanMs * tail * (0.75 + Math.random() / 2);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** What a driver's session is to the service. */
export class SimulatedSession {
  private snapshot: { readonly version: number; readonly head: ChainHead } | undefined;
  private moved: ChainHead | undefined;
  private isOpen = false;

  constructor(private readonly store: SimulatedStore) {}

  startTransaction(): void {
    this.isOpen = true;
    this.snapshot = undefined;
    this.moved = undefined;
  }

  inTransaction(): boolean {
    return this.isOpen;
  }

  /** A statement that is in nobody's way. @returns where the chain ends by this transaction's snapshot */
  async statement(): Promise<ChainHead> {
    await this.store.roundTrip();
    this.snapshot ??= { version: this.store.version, head: this.store.head };
    return this.moved ?? this.snapshot.head;
  }

  /** Writes to the head. @throws MongoServerError WriteConflict */
  async writeHead(): Promise<ChainHead> {
    const head = await this.statement();
    const { holder, version } = this.store;
    if ((holder !== undefined && holder !== this) || version !== this.snapshot?.version) {
      this.store.conflicts += 1;
      const fault = { errmsg: 'WriteConflict', code: 112, errorLabels: ['TransientTransactionError'] };
      throw new mongoose.mongo.MongoServerError(fault);
    }
    this.store.holder = this;
    return head;
  }

  moveTo(head: ChainHead): void {
    this.moved = head;
  }

  async commitTransaction(): Promise<void> {
    await this.store.roundTrip();
    this.isOpen = false;
    if (this.moved !== undefined) {
      this.store.head = this.moved;
      this.store.version += 1;
    }
    this.release();
    await this.store.acknowledgement();
  }

  async abortTransaction(): Promise<void> {
    this.isOpen = false;
    await this.store.roundTrip();
    this.release();
  }

  private release(): void {
    if (this.store.holder === this) this.store.holder = undefined;
  }
}

function simulated(session: ClientSession): SimulatedSession {
  return session as unknown as SimulatedSession;
}

/** The event log before the simulated store, with the statements of libs/events/log/event-log.ts. */
export class SimulatedLog {
  constructor(private readonly store: SimulatedStore) {}

  count(): void {
    // nobody looks at the metrics
  }

  async hold(session: ClientSession, chain: string): Promise<ReadonlyMap<string, ChainHead>> {
    const head = await simulated(session).writeHead();
    return head.seq === 0 ? new Map() : new Map([[chain, head]]);
  }

  async append(
    session: ClientSession,
    pending: readonly PendingEvent[],
    ends: ReadonlyMap<string, ChainHead>,
  ): Promise<LogEvent[]> {
    const own = simulated(session);
    if (pending.length === 0) return [];
    const from = ends.get(this.store.chain) ?? (await own.statement());
    const found = await own.writeHead();
    if (found.seq !== from.seq) throw new TransactionConflict();
    const drafts = pending.map(({ event: { operationId, type, subject, outcome, data }, context, at }) => {
      const { actor, requestId } = context;
      return { id: newId('ev'), operationId, type, at: at.toISOString(), actor, subject, outcome, data, requestId };
    });
    const logged = chainEvents(from, drafts);
    await own.statement(); // the events
    own.moveTo(logged.at(-1)!);
    return logged;
  }
}
