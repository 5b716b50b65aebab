import type { mongo } from 'mongoose';

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** A heartbeat takes two round trips' time-outs at most. One that is not over after this long never will be. In milliseconds. */
const HEARTBEAT_LIMIT_MS = 6_000;
/** A command is over within a round trip's time-out. A connection that is in use after this long will never be free again. In milliseconds. */
const IN_USE_LIMIT_MS = 60_000;

/** What there is of a driver's events here. */
export type WatchedClient = Pick<mongo.MongoClient, 'on'>;

/**
 * Notices when the driver waits for something that will never come. Its version 7.8 can lose the news that a connection was cut, if the
 * news comes between a command's writing and its reading: then that command waits for ever. Where it was a heartbeat, the
 * server is taken for unreachable for ever; where it was another, the pool has one connection less.
 */
export class ConnectionWatch {
  /** Heartbeats that are under way, by server, and since when. */
  private readonly heartbeats = new Map<string, number>();
  /** Connections that are in use, and since when. */
  private readonly inUse = new Map<string, number>();
  private strikes = 0;
  private readonly timer: NodeJS.Timeout;

  /**
   * @param client whose events to follow from now on
   * @param mayLose how many connections may be lost before something is done about it
   * @param onStuck called once; the client is to be replaced
   */
  constructor(
    client: WatchedClient,
    private readonly mayLose: number,
    private readonly onStuck: (what: string) => void,
  ) {
    client.on('serverHeartbeatStarted', ({ connectionId }) => this.heartbeats.set(connectionId, performance.now()));
    client.on('serverHeartbeatSucceeded', ({ connectionId }) => this.heartbeats.delete(connectionId));
    client.on('serverHeartbeatFailed', ({ connectionId }) => this.heartbeats.delete(connectionId));
    client.on('serverClosed', ({ address }) => this.heartbeats.delete(address));
    client.on('connectionCheckedOut', (event) => this.inUse.set(nameOf(event), performance.now()));
    client.on('connectionCheckedIn', (event) => this.inUse.delete(nameOf(event)));
    client.on('connectionPoolClosed', () => this.inUse.clear());
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Only what is so twice counts: after a pause of the whole process its news is there, and not read yet. */
  private look(): void {
    const what = this.whatIsStuck();
    this.strikes = what === undefined ? 0 : this.strikes + 1;
    if (what === undefined || this.strikes < 2) return;
    this.stop();
    this.onStuck(what);
  }

  private whatIsStuck(): string | undefined {
    const nowMs = performance.now();
    if ([...this.heartbeats.values()].some((sinceMs) => nowMs - sinceMs > HEARTBEAT_LIMIT_MS)) return 'a heartbeat';
    const lost = [...this.inUse.values()].filter((sinceMs) => nowMs - sinceMs > IN_USE_LIMIT_MS);
    return lost.length > this.mayLose ? 'connections' : undefined;
  }
}

function nameOf({ address, connectionId }: mongo.ConnectionCheckedOutEvent | mongo.ConnectionCheckedInEvent): string {
  return `${address} ${connectionId}`;
}
