import type { mongo } from 'mongoose';

const CHECK_INTERVAL_MS = 1_000;
/** A heartbeat takes at most two round-trip timeouts. One that takes longer than this never finishes. */
const MAX_HEARTBEAT_MS = 6_000;
/** A command ends within a round-trip timeout. A connection in use for longer than this is never returned. */
const MAX_IN_USE_MS = 60_000;

/** The part of the driver's client that emits events. */
export type WatchedClient = Pick<mongo.MongoClient, 'on'>;

/**
 * Detects commands that never finish: driver 7.8 misses a close of the connection between the write and the read of a
 * command. A stuck heartbeat makes the server seem unreachable forever; another command costs a pooled connection.
 */
export class ConnectionWatch {
  /** Start times of pending heartbeats, by server. */
  private readonly heartbeats = new Map<string, number>();
  /** Checkout times of connections in use. */
  private readonly inUse = new Map<string, number>();
  private strikes = 0;
  private readonly timer: NodeJS.Timeout;

  /**
   * @param client the client to watch
   * @param maxLost the number of lost connections to tolerate
   * @param onStuck called once; the caller must then replace the client
   */
  constructor(
    client: WatchedClient,
    private readonly maxLost: number,
    private readonly onStuck: (what: string) => void,
  ) {
    client.on('serverHeartbeatStarted', ({ connectionId }) => this.heartbeats.set(connectionId, performance.now()));
    client.on('serverHeartbeatSucceeded', ({ connectionId }) => this.heartbeats.delete(connectionId));
    client.on('serverHeartbeatFailed', ({ connectionId }) => this.heartbeats.delete(connectionId));
    client.on('serverClosed', ({ address }) => this.heartbeats.delete(address));
    client.on('connectionCheckedOut', (event) => this.inUse.set(nameOf(event), performance.now()));
    client.on('connectionCheckedIn', (event) => this.inUse.delete(nameOf(event)));
    client.on('connectionPoolClosed', () => this.inUse.clear());
    this.timer = setInterval(() => this.check(), CHECK_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Requires two checks in a row: after a pause of the whole process, events are pending that were not read yet. */
  private check(): void {
    const what = this.whatIsStuck();
    this.strikes = what === undefined ? 0 : this.strikes + 1;
    if (what === undefined || this.strikes < 2) return;
    this.stop();
    this.onStuck(what);
  }

  private whatIsStuck(): string | undefined {
    const nowMs = performance.now();
    if ([...this.heartbeats.values()].some((sinceMs) => nowMs - sinceMs > MAX_HEARTBEAT_MS)) return 'a heartbeat';
    const lost = [...this.inUse.values()].filter((sinceMs) => nowMs - sinceMs > MAX_IN_USE_MS);
    return lost.length > this.maxLost ? 'connections' : undefined;
  }
}

function nameOf({ address, connectionId }: mongo.ConnectionCheckedOutEvent | mongo.ConnectionCheckedInEvent): string {
  return `${address} ${connectionId}`;
}
