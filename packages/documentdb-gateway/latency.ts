import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './command.ts';

/** How long a real deployment takes where this machine takes nothing, in milliseconds. */
export interface Delays {
  /** for the round trip of every command */
  readonly rttMs: number;
  /** until a majority has acknowledged a write or a commit */
  readonly commitMs: number;
}

/** One delay in a hundred is this many times as long. */
const TAIL_FACTOR = 10;
const TAIL_SHARE = 0.01;
/** The rest varies by this share in both directions. */
const JITTER = 0.25;

/** Monitors measure these themselves; a driver that shuts down does not wait for `endSessions`. */
const NOT_DELAYED = new Set(['hello', 'ismaster', 'isMaster', 'endSessions']);
const WRITES = new Set(['insert', 'update', 'delete', 'findAndModify', 'findandmodify']);

/** Makes commands take as long as they would over a network and with a majority to wait for. */
export class Latency {
  readonly #delays: Delays;
  readonly #random: () => number;

  constructor(delays: Delays, random: () => number = Math.random) {
    this.#delays = delays;
    this.#random = random;
  }

  /** Waits before a command is run: its way here. */
  async beforeCommand({ name }: Command): Promise<void> {
    if (!NOT_DELAYED.has(name)) await this.#wait(this.#delays.rttMs);
  }

  /** Waits after a command was run and before it is answered. Its locks are free already, as in MongoDB. */
  async beforeAnswer({ name, inTransaction }: Command): Promise<void> {
    const needsMajority = name === 'commitTransaction' || (WRITES.has(name) && !inTransaction);
    if (needsMajority) await this.#wait(this.#delays.commitMs);
  }

  async #wait(meanMs: number): Promise<void> {
    if (meanMs > 0) await sleep(this.pick(meanMs));
  }

  /** A delay in whole milliseconds, as timers need it: rounded at random, so that the mean is kept. */
  pick(meanMs: number): number {
    const tail = this.#random() < TAIL_SHARE ? TAIL_FACTOR : 1;
    const exactMs = meanMs * tail * (1 - JITTER + 2 * JITTER * this.#random());
    return Math.floor(exactMs + this.#random());
  }
}
