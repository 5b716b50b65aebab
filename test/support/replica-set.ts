import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import type { ControlRequest, SetState, ViewAddress } from '../../packages/documentdb-gateway/control.ts';
import type { Persona, SetShape } from '../../packages/documentdb-gateway/topology/replica-set.ts';
import { required } from './database.ts';

/** Default time without a primary, in milliseconds. */
const GAP_MS = 500;

type Call = <T>(request: ControlRequest) => Promise<T>;

/**
 * The route of one group of clients to a replica set: its own three ports. If two instances have two views, a
 * partition can cut off one of them alone.
 */
export class SetView {
  constructor(
    private readonly address: ViewAddress,
    private readonly persona: Persona,
    private readonly call: Call,
  ) {}

  /** `host:port` of each member, as clients of this view see them. */
  get hosts(): readonly string[] {
    return this.address.hosts;
  }

  /** `MONGODB_URI` for an instance. @param databaseUri names the database and the user: `TestDatabase.uri` */
  uri(databaseUri: string): string {
    const own = new URL(databaseUri);
    if (this.persona === 'replica-set') own.searchParams.set('replicaSet', 'latchkey');
    else own.searchParams.delete('replicaSet');
    return `${reachedBy(databaseUri, this.hosts)}${own.pathname}${own.search}`;
  }

  /** A client of one member alone, in any state of that member, without monitoring and retries. */
  async member(index: number): Promise<mongo.MongoClient> {
    const administrator = required('MONGODB_URI');
    return new mongoose.mongo.MongoClient(`${reachedBy(administrator, [this.hosts[index] ?? ''])}/`, {
      authSource: 'admin',
      directConnection: true,
      retryReads: false,
      retryWrites: false,
      serverMonitoringMode: 'poll',
      heartbeatFrequencyMS: 60_000,
    }).connect();
  }

  /** Cuts this view's clients off from exactly these members; an empty list heals the partition. */
  async partition(...members: number[]): Promise<void> {
    await this.call({ action: 'partition', set: this.address.set, view: this.address.view, members });
  }
}

/**
 * A replica set for one test, in front of the database that all tests share. Its faults do not affect other tests.
 * Members are numbered from 0, and 0 is the primary at first. packages/documentdb-gateway/README.md says what each
 * fault means.
 */
export class ReplicaSet {
  private constructor(
    /** The first view, for clients that no partition separates. */
    readonly view: SetView,
    private readonly persona: Persona,
    private readonly id: string,
    private readonly call: Call,
  ) {}

  /** Creates one. @param shape default: three members of a replica set */
  static async start(shape: Partial<SetShape> = {}): Promise<ReplicaSet> {
    const call = await control();
    const address = await call<ViewAddress>({ action: 'create-set', ...shape });
    const persona = shape.persona ?? 'replica-set';
    return new ReplicaSet(new SetView(address, persona, call), persona, address.set, call);
  }

  async addView(): Promise<SetView> {
    const address = await this.call<ViewAddress>({ action: 'add-view', set: this.id });
    return new SetView(address, this.persona, this.call);
  }

  /** The true state of the members, regardless of what they believe. */
  state(): Promise<SetState> {
    return this.call({ action: 'state', set: this.id });
  }

  /** The primary steps down; after `gapMs` without a primary another member is elected. */
  async stepDown(gapMs = GAP_MS): Promise<void> {
    await this.call({ action: 'step-down', set: this.id, gapMs });
  }

  /** Elects a member now. With `oldStays` the old primary does not notice, and is a deposed primary until `release`. */
  async elect(member: number, { oldStays = false } = {}): Promise<void> {
    await this.call({ action: 'elect', set: this.id, member, oldStays });
  }

  /**
   * Freezes a member's knowledge of the majority's state. A secondary lags from now on; if elected, it
   * is a fresh primary until `release`. The primary's writes are applied, and not acknowledged until `release`.
   */
  async freeze(member: number): Promise<void> {
    await this.call({ action: 'freeze', set: this.id, member });
  }

  /** Lets a frozen member catch up; a deposed primary steps down. */
  async release(member: number): Promise<void> {
    await this.call({ action: 'release', set: this.id, member });
  }

  /** Kills a member's process; if it is the primary, another one is elected after `gapMs`. */
  async crash(member: number, gapMs = GAP_MS): Promise<void> {
    await this.call({ action: 'crash', set: this.id, member, gapMs });
  }

  /** Shuts a member down as for maintenance: it answers 91 for `noticeMs` first. */
  async shutDown(member: number, { noticeMs = 200, gapMs = GAP_MS } = {}): Promise<void> {
    await this.call({ action: 'shut-down', set: this.id, member, noticeMs, gapMs });
  }

  /** Starts a member's process again, as a secondary. */
  async restart(member: number): Promise<void> {
    await this.call({ action: 'restart', set: this.id, member });
  }

  /** Sets how far a member's wall clock is ahead, in milliseconds; negative for behind. */
  async skew(member: number, ms: number): Promise<void> {
    await this.call({ action: 'skew', set: this.id, member, ms });
  }

  /**
   * Shards or moves a collection, behind routers (`persona: 'mongos'`). It changes the answers of `explain`, and which
   * unique indexes are allowed.
   * @param key the shard key's fields, or null for a collection that is not sharded
   */
  async place(databaseName: string, collection: string, key: string[] | null, ...shards: string[]): Promise<void> {
    const placement = { key, shards };
    await this.call({ action: 'place', set: this.id, database: databaseName, collection, placement });
  }

  /** Removes the set; the data are kept. */
  async stop(): Promise<void> {
    await this.call({ action: 'remove-set', set: this.id });
  }
}

/** The beginning of a URI, with its user and password, before other hosts. */
function reachedBy(uri: string, hosts: readonly string[]): string {
  const { username, password } = new URL(uri);
  return `mongodb://${username === '' ? '' : `${username}:${password}@`}${hosts.join(',')}`;
}

/** Finds the control port of the stand-in at `MONGODB_URI`. @throws Error if that is a real MongoDB */
async function control(): Promise<Call> {
  const client = await new mongoose.mongo.MongoClient(required('MONGODB_URI')).connect();
  const { port } = await client
    .db('admin')
    .command({ standInControl: 1 })
    .finally(() => client.close());
  return async <T>(request: ControlRequest): Promise<T> => {
    const answer = await fetch(`http://127.0.0.1:${String(port)}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    const body: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${request.action}: ${(body as { error: string }).error}`);
    return body as T;
  };
}
