import type { mongo } from 'mongoose';

/**
 * How long callers wait for a missing primary: the driver reconnects half a second after a lost connection, and a
 * planned election takes about a second. In a longer outage, callers fail immediately.
 */
const MAX_ELECTION_MS = 2_000;
/** Server types that accept writes. */
const WRITABLE = ['RSPrimary', 'Mongos'];

/** The part of the driver's client that emits events. */
export type FollowedClient = Pick<mongo.MongoClient, 'on'>;

/**
 * Tracks whether the driver knows a primary. mongoose's `readyState` is unreliable: it reports a lost connection after
 * two missed heartbeats by the wall clock, so also after a pause of the process or a change of its clock.
 */
export class PrimaryWatch {
  private client: FollowedClient | undefined;
  /** Since when the primary is missing, by `performance.now()`. */
  private goneSinceMs: number | undefined = -Infinity;

  /** Follows a connected client instead of the previous one. */
  follow(client: FollowedClient): void {
    this.client = client;
    this.goneSinceMs = undefined;
    client.on('topologyDescriptionChanged', ({ newDescription: { servers } }) => {
      if (client !== this.client) return;
      const isThere = [...servers.values()].some(({ type }) => WRITABLE.includes(type));
      this.goneSinceMs = isThere ? undefined : (this.goneSinceMs ?? performance.now());
    });
  }

  /** Whether there is a primary, or one is likely within a moment, so that a call may wait for it. */
  get isExpected(): boolean {
    return this.goneSinceMs === undefined || performance.now() - this.goneSinceMs < MAX_ELECTION_MS;
  }
}
