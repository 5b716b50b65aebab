import type { mongo } from 'mongoose';

/**
 * How long callers wait for a primary that is gone, in milliseconds. The driver looks for one again half a second after a lost
 * connection, and an election that is planned takes about a second; when the store stays away longer, nobody needs to wait.
 */
const PATIENCE_MS = 2_000;
/** Servers that take writes. */
const WRITABLE = ['RSPrimary', 'Mongos'];

/** What there is of a driver's client here. */
export type FollowedClient = Pick<mongo.MongoClient, 'on'>;

/**
 * Knows whether the store has a primary, as far as the driver does. mongoose's `readyState` does not tell: it calls a connection lost
 * when two heartbeats are missing by the wall clock, so also after the process was stopped or starved, or its clock was set.
 */
export class PrimaryWatch {
  private client: FollowedClient | undefined;
  /** Since when there is none, by `performance.now()`. */
  private goneSinceMs: number | undefined = -Infinity;

  /** Follows a client that is connected, in place of the last one. */
  follow(client: FollowedClient): void {
    this.client = client;
    this.goneSinceMs = undefined;
    client.on('topologyDescriptionChanged', ({ newDescription: { servers } }) => {
      if (client !== this.client) return;
      const isThere = [...servers.values()].some(({ type }) => WRITABLE.includes(type));
      this.goneSinceMs = isThere ? undefined : (this.goneSinceMs ?? performance.now());
    });
  }

  /** Whether there is a primary, or one is likely to be there in a moment: then the driver waits for it. */
  get isExpected(): boolean {
    return this.goneSinceMs === undefined || performance.now() - this.goneSinceMs < PATIENCE_MS;
  }
}
