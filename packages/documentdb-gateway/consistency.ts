import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Pool } from 'pg';
import type { Command, Reply } from './command.ts';
import { readConcernOf, writeConcernOf } from './concerns.ts';
import type { ReadConcern, WriteConcern } from './concerns.ts';
import type { Cursors } from './cursors.ts';
import { MongoError } from './errors.ts';
import { isChange } from './member-rules.ts';
import { clusterTimeDocument, fromTimestamp, toTimestamp } from './topology/cluster-clock.ts';
import type { ClusterTime } from './topology/cluster-clock.ts';
import type { Snapshot } from './topology/snapshots.ts';

type Execute = (command: Command) => Promise<Reply>;

/** What ran, and the time that it is told to have happened at. */
interface Outcome {
  readonly reply: Reply;
  readonly time: ClusterTime;
}

/**
 * Read and write concerns as mongod honours them: which state a read sees, what it waits for before, what a write
 * waits for afterwards, and the cluster times in the answers.
 */
export class Consistency {
  readonly #snapshots: Pool;
  readonly #cursors: Cursors;
  /** a write on a deposed primary's branch never happened: what it had open is rolled back */
  readonly #discard: (command: Command) => Promise<void>;

  constructor(snapshots: Pool, cursors: Cursors, discard: (command: Command) => Promise<void>) {
    this.#snapshots = snapshots;
    this.#cursors = cursors;
    this.#discard = discard;
  }

  /** Runs a command with its concerns. @returns the answer, with its times */
  async run(command: Command, execute: Execute): Promise<Reply> {
    hearTime(command);
    const readConcern = readConcernOf(command);
    const writeConcern = writeConcernOf(command);
    await awaitClusterTime(command, readConcern);
    const { reply, time } = isChange(command)
      ? await this.#change(command, writeConcern, execute)
      : await this.#read(command, readConcern, execute);
    return withTimes(command, reply, time);
  }

  async #read(command: Command, { level }: ReadConcern, execute: Execute): Promise<Outcome> {
    const { member, view } = command.connection.endpoint;
    const { set } = view;
    const majority = level === 'majority' || level === 'snapshot' || this.#continuesMajorityRead(command);
    const snapshot = snapshotFor(command, majority);
    let reply: Reply;
    if (snapshot === null) reply = await execute(command);
    else if (command.inTransaction) reply = await execute({ ...command, snapshot: snapshot.name });
    else reply = await snapshot.read(this.#snapshots, (client) => execute({ ...command, client }));
    if (level === 'linearizable') return { reply, time: await confirmPrimary(command) };
    return { reply, time: majority ? set.majorityTime(member) : set.appliedTime(member) };
  }

  #continuesMajorityRead(command: Command): boolean {
    return command.name === 'getMore' && this.#cursors.readsMajority(String(command.target));
  }

  async #change(command: Command, concern: WriteConcern, execute: Execute): Promise<Outcome> {
    const { member, view } = command.connection.endpoint;
    if (view.set.isDeposed(member)) return this.#refuseOnBranch(command, concern);
    let reply: Reply;
    let time: ClusterTime;
    try {
      reply = await execute(command);
    } finally {
      // after the commit: whoever reads after this time sees it. Also after an error, which may have left a part
      time = view.set.tick();
    }
    const unconfirmed = concern.majority ? await awaitMajority(command, time, concern.timeoutMs) : null;
    return { reply: unconfirmed ? extended(reply, { writeConcernError: unconfirmed }) : reply, time };
  }

  /** A deposed primary accepts a write and waits for its majority, which never comes. */
  async #refuseOnBranch(command: Command, concern: WriteConcern): Promise<Outcome> {
    await this.#discard(command);
    const { set } = command.connection.endpoint.view;
    const unconfirmed = await awaitMajority(command, set.clock.time + 1n, concern.timeoutMs);
    return {
      reply: { ok: 1, n: 0, writeConcernError: unconfirmed },
      time: set.timeOf(command.connection.endpoint.member),
    };
  }
}

/** Appends `operationTime` and `$clusterTime`, which every answer has except a standalone server's. */
export function withTimes(command: Pick<Command, 'connection'>, reply: Reply, time?: ClusterTime): Reply {
  const { member, view } = command.connection.endpoint;
  if (view.set.persona === 'standalone') return reply;
  return extended(reply, {
    operationTime: toTimestamp(time ?? view.set.appliedTime(member)),
    $clusterTime: clusterTimeDocument(view.set.timeOf(member)),
  });
}

/** A deposed primary still hears of the cluster's time from clients. */
function hearTime({ connection, options }: Command): void {
  const { member } = connection.endpoint;
  if (member.ownTime === null || options.clusterTime === undefined) return;
  const heard = fromTimestamp(options.clusterTime);
  if (heard > member.ownTime) member.ownTime = heard;
}

async function awaitClusterTime(command: Command, { level, afterClusterTime: after }: ReadConcern): Promise<void> {
  if (after === null) return;
  const { member, view } = command.connection.endpoint;
  const { set } = view;
  if (after > set.timeOf(member)) {
    const message = 'readConcern afterClusterTime value must not be greater than the current clusterTime';
    throw new MongoError(72, 'InvalidOptions', message);
  }
  // in a transaction the majority is waited for by its commit
  const ofMajority = level !== 'local' && !command.inTransaction;
  const isThere = (): boolean => (ofMajority ? set.majorityTime(member) : set.appliedTime(member)) >= after;
  await within(command, set.waiters.until(isThere, command.options.maxTimeMs, command.connection));
}

/** What a linearizable read does after reading: a no-op that a majority has proves that the member is the primary. */
async function confirmPrimary(command: Command): Promise<ClusterTime> {
  const { member, view } = command.connection.endpoint;
  const { set } = view;
  const time = set.isDeposed(member) ? set.clock.time + 1n : set.tick();
  const isConfirmed = (): boolean => !set.isDeposed(member) && set.majorityTime(member) >= time;
  await within(command, set.waiters.until(isConfirmed, command.options.maxTimeMs, command.connection));
  return time;
}

/** @returns the write concern error when the time ran out, null when a majority has the write */
async function awaitMajority(command: Command, time: ClusterTime, timeoutMs: number): Promise<Document | null> {
  const { member, view } = command.connection.endpoint;
  const { set } = view;
  const isConfirmed = (): boolean => !set.isDeposed(member) && set.majorityTime(member) >= time;
  const { maxTimeMs } = command.options;
  const byTimeout = timeoutMs > 0 && (maxTimeMs === 0 || timeoutMs <= maxTimeMs);
  const wait = set.waiters.until(isConfirmed, byTimeout ? timeoutMs : maxTimeMs, command.connection);
  if (!byTimeout) {
    await within(command, wait);
    return null;
  }
  if ((await wait) !== 'timed-out') return null;
  return {
    code: 64,
    codeName: 'WriteConcernTimeout',
    errmsg: 'waiting for replication timed out',
    errInfo: { wtimeout: true },
  };
}

async function within(command: Command, wait: Promise<string>): Promise<void> {
  if ((await wait) === 'timed-out') {
    throw new MongoError(50, 'MaxTimeMSExpired', `operation exceeded time limit: ${command.name}`);
  }
}

/** The state that a read sees; null for the present one. */
function snapshotFor(command: Command, majority: boolean): Snapshot | null {
  const { member, view } = command.connection.endpoint;
  if (!member.frozen) return null;
  // a primary of the present term has the newest entries itself; only the majority's are behind
  const hasNewest = member === view.set.primary;
  return hasNewest && (command.inTransaction || !majority) ? null : member.frozen.snapshot;
}

/** Appends members to an answer, without decoding one that is BSON. */
function extended(reply: Reply, members: Document): Reply {
  if (!(reply instanceof Uint8Array)) return { ...reply, ...members };
  const more = Buffer.from(BSON.serialize(members)).subarray(4);
  const whole = Buffer.concat([reply.subarray(0, -1), more]);
  whole.writeInt32LE(whole.length, 0);
  return whole;
}
