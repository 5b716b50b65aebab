import type { Pool } from 'pg';
import { MongoError } from '../errors.ts';
import { ClusterClock } from './cluster-clock.ts';
import type { ClusterTime } from './cluster-clock.ts';
import { Interrupts } from './interrupts.ts';
import { Member } from './member.ts';
import { Sharding } from './sharding.ts';
import { Snapshot } from './snapshots.ts';
import { Waiters } from './waiters.ts';

/** As mongod's periodicNoopIntervalSecs. */
const NO_OP_MS = 10_000;
/** MongoDB 8.0. */
const MAX_WIRE_VERSION = 25;

/** What the servers of a deployment say that they are. */
export type Persona = 'replica-set' | 'mongos' | 'standalone';

/** How a deployment looks. */
export interface SetShape {
  readonly persona: Persona;
  /** how many members, or routers of a sharded cluster */
  readonly members: number;
  /** the newest wire version that the servers speak; MongoDB 8.0's if left out */
  readonly maxWireVersion?: number;
}

/** What has to follow when a member's state changes. */
export interface MemberHooks {
  /** it is no primary any more: the transactions that it had open are over */
  readonly lostPrimary: (member: Member) => Promise<void>;
  /** its process ended: the connections to it close */
  readonly ended: (member: Member) => void;
}

/**
 * Members over the one database, with elections made on demand. Nothing is replicated: all members see what is
 * committed, except one that is frozen, which stays at the snapshot of that moment.
 */
export class ReplicaSet {
  readonly id: string;
  readonly persona: Persona;
  readonly maxWireVersion: number;
  readonly members: readonly Member[];
  readonly clock: ClusterClock;
  readonly waiters = new Waiters();
  readonly interrupts = new Interrupts();
  readonly sharding = new Sharding();
  readonly #snapshots: Pool;
  readonly #hooks: MemberHooks;
  #term = 1;
  /** the elected primary, whatever a deposed one believes; null during an election */
  #primary: Member | null;
  #election: NodeJS.Timeout | undefined;
  /** an idle primary writes a no-op now and then, so that the cluster time goes on */
  readonly #noOps: NodeJS.Timeout;

  constructor(id: string, shape: SetShape, snapshots: Pool, hooks: MemberHooks) {
    this.id = id;
    this.persona = shape.persona;
    this.maxWireVersion = shape.maxWireVersion ?? MAX_WIRE_VERSION;
    const isReplicaSet = shape.persona === 'replica-set';
    this.members = Array.from(
      { length: shape.members },
      (_, index) => new Member(index, index === 0 || !isReplicaSet ? 'primary' : 'secondary'),
    );
    this.#snapshots = snapshots;
    this.#hooks = hooks;
    this.#primary = this.member(0);
    this.#primary.term = this.#term;
    for (const member of this.members) member.knownPrimary = 0;
    this.clock = new ClusterClock(() => Date.now() + (this.#primary?.skewMs ?? 0));
    this.#noOps = setInterval(() => {
      if (this.#primary) this.tick();
    }, NO_OP_MS).unref();
  }

  /** @throws MongoError for an index outside of the set */
  member(index: number): Member {
    const member = this.members[index];
    if (!member) throw new MongoError(2, 'BadValue', `the set has no member ${index}`);
    return member;
  }

  get primary(): Member | null {
    return this.#primary;
  }

  /** A primary that the rest of the set has replaced, and that has not noticed. */
  isDeposed(member: Member): boolean {
    return this.persona === 'replica-set' && member.state === 'primary' && member !== this.#primary;
  }

  /** The newest time that the member knows. */
  timeOf(member: Member): ClusterTime {
    return member.ownTime ?? this.clock.time;
  }

  /** The time up to which the member has entries. */
  appliedTime(member: Member): ClusterTime {
    return member.frozen && member !== this.#primary ? member.frozen.at : this.clock.time;
  }

  /** The time up to which the member knows that a majority has the entries. */
  majorityTime(member: Member): ClusterTime {
    return member.frozen ? member.frozen.at : this.clock.time;
  }

  /** Adds an entry and lets those continue that wait for its time. */
  tick(): ClusterTime {
    const time = this.clock.tick();
    this.waiters.notify();
    return time;
  }

  /** The primary becomes a secondary; after `gapMs` without a primary, the next member is elected. */
  async stepDown(gapMs: number): Promise<void> {
    const old = this.#primary;
    if (!old) return;
    await this.#losePrimary(old, 'secondary');
    this.#electLater(gapMs, old);
  }

  /**
   * Makes a member the primary of a new term.
   * @param oldStays the old primary does not notice: it goes on as a deposed primary, frozen at its present state
   */
  async elect(index: number, oldStays: boolean): Promise<void> {
    clearTimeout(this.#election);
    const next = this.member(index);
    const old = this.#primary;
    if (next.state === 'down' || next === old) throw new MongoError(2, 'BadValue', `member ${index} cannot be elected`);
    if (old && oldStays) {
      if (!old.frozen) await this.freeze(old.index);
      old.ownTime = this.clock.time;
    } else if (old) await this.#losePrimary(old, 'secondary');
    this.#term += 1;
    this.#primary = next;
    next.state = 'primary';
    next.term = this.#term;
    next.ownTime = null;
    for (const member of this.members) if (!this.isDeposed(member)) member.knownPrimary = index;
    this.tick();
    this.#announce();
  }

  /**
   * Stops a member's knowledge of what a majority has, at the present state. A secondary lags from now on. A primary
   * stays writable, but nothing is acknowledged by a majority until it is released.
   */
  async freeze(index: number): Promise<void> {
    const member = this.member(index);
    if (member.frozen) return;
    const at = this.clock.time; // before the snapshot, which then has all that is not later
    member.frozen = { snapshot: await Snapshot.take(this.#snapshots), at };
  }

  /** Lets a frozen member catch up. A deposed primary learns of the new one and becomes a secondary. */
  async release(index: number): Promise<void> {
    const member = this.member(index);
    const { frozen } = member;
    if (this.isDeposed(member)) await this.#losePrimary(member, 'secondary');
    member.frozen = null;
    member.ownTime = null;
    member.knownPrimary = this.#primary?.index ?? null;
    this.#announce();
    await frozen?.snapshot.release();
  }

  /** A member's process ends without a word; if it was the primary, another is elected after `gapMs`. */
  async crash(index: number, gapMs: number): Promise<void> {
    const member = this.member(index);
    await this.#end(member, gapMs);
  }

  /** A member's process ends on request: for `noticeMs` it answers that it shuts down. */
  async shutDown(index: number, noticeMs: number, gapMs: number): Promise<void> {
    const member = this.member(index);
    member.state = 'shutting-down';
    this.#announce();
    this.interrupts.shutDown(member);
    await new Promise((resolve) => setTimeout(resolve, noticeMs));
    await this.#end(member, gapMs);
  }

  /** Starts a member's process again, as a secondary; alone in the set, it is the primary again. */
  async restart(index: number): Promise<void> {
    const member = this.member(index);
    if (member.state !== 'down') return;
    member.noteRestart();
    member.state = 'secondary';
    member.knownPrimary = this.#primary?.index ?? null;
    if (this.#primary === null && this.#election === undefined) await this.elect(index, false);
    else this.#announce();
  }

  /** Sets how far a member's wall clock is ahead, in milliseconds. */
  skew(index: number, ms: number): void {
    this.member(index).skewMs = ms;
  }

  /** How far the clock of `hello` is ahead: a router answers by its own clock, and any of several may be asked. */
  skewOf(member: Member): number {
    if (this.persona !== 'mongos') return member.skewMs;
    return this.member(Math.floor(Math.random() * this.members.length)).skewMs;
  }

  async close(): Promise<void> {
    clearTimeout(this.#election);
    clearInterval(this.#noOps);
    await Promise.all(this.members.map(async ({ frozen }) => frozen?.snapshot.release()));
  }

  async #end(member: Member, gapMs: number): Promise<void> {
    const wasPrimary = member === this.#primary;
    await this.#losePrimary(member, 'down');
    this.#hooks.ended(member);
    if (wasPrimary) this.#electLater(gapMs, member);
  }

  async #losePrimary(member: Member, state: 'secondary' | 'down'): Promise<void> {
    const wasPrimary = member.state !== 'secondary';
    member.state = state;
    if (member === this.#primary) {
      this.#primary = null;
      for (const each of this.members) each.knownPrimary = null;
    }
    if (wasPrimary) this.interrupts.stepDown(member);
    this.#announce();
    if (wasPrimary) await this.#hooks.lostPrimary(member);
  }

  #electLater(gapMs: number, old: Member): void {
    clearTimeout(this.#election);
    this.#election = setTimeout(() => {
      this.#election = undefined;
      const next = this.#successorOf(old);
      if (next) void this.elect(next.index, false);
    }, gapMs);
  }

  /** The next member that runs; the old primary itself when no other does. */
  #successorOf(old: Member): Member | undefined {
    const after = [...this.members.slice(old.index + 1), ...this.members.slice(0, old.index + 1)];
    return after.find(({ state }) => state === 'secondary');
  }

  #announce(): void {
    for (const member of this.members) if (!this.isDeposed(member)) member.noteChange();
    this.waiters.notify();
  }
}
