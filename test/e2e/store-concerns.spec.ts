import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BSON } from 'bson';
import { Framer, readMessage } from '../../packages/documentdb-gateway/wire.ts';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const READS = ['find', 'aggregate', 'count', 'distinct'];
/** The reads that decide about tokens, clients, resource servers and people, by what they ask for. */
const DECIDING: Record<string, string> = {
  credentials: 'clientId.$in',
  tokens: '_id.$in',
  resource_servers: '_id.$in',
  users: 'usernameKey',
};
const WRITES = ['insert', 'update', 'delete', 'findAndModify'];

/** A command as it went over the wire. */
interface Sent {
  readonly name: string;
  readonly collection: unknown;
  /** What the documents are asked for by. */
  readonly filter: string;
  readonly level: string | undefined;
  readonly after: BSON.Timestamp | undefined;
  readonly maxTimeMS: number | undefined;
  readonly w: unknown;
  readonly mode: string | undefined;
  readonly inTransaction: boolean;
  readonly begins: boolean;
  readonly journal: boolean | undefined;
  /** strictly version 1 of the Stable API */
  readonly api: boolean;
  /** an awaitable `hello` */
  readonly streams: boolean;
}

/** The proof of the lease rests on it (docs/adr/0003-the-lease.md), so it is looked at where the store would see it. */
describe('the commands that the service sends to MongoDB', () => {
  const database = new TestDatabase();
  const sent: Sent[] = [];
  let proxy: TcpProxy;
  let world: OAuthWorld | undefined;

  beforeAll(async () => {
    proxy = await TcpProxy.before(database.uri);
    const framers = new WeakMap<object, Framer>();
    proxy.onSent = (client, chunk) => {
      const framer = framers.get(client) ?? new Framer();
      framers.set(client, framer);
      for (const message of framer.push(chunk)) sent.push(toSent(BSON.deserialize(readMessage(message).body)));
    };
    world = await OAuthWorld.start(1, { database, env: { MONGODB_URI: proxy.storeUri(database.uri) } });
    const client = await world.client();
    const token = await world.tokenOf(client);
    expect(await world.isActive(token)).toBe(true);
    // reads that decide, under several fences
    for (let fences = 0; fences < 6; fences += 1) {
      await pause(150);
      expect(await world.isActive(await world.tokenOf(client))).toBe(true);
    }
    expect((await world.api.get(pathOf(client))).status).toBe(200);
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    expect(await world.isActive(token)).toBe(false);
  });
  afterAll(async () => {
    await world?.stop();
    await proxy.away();
  });

  const named = (names: readonly string[]): Sent[] => sent.filter(({ name }) => names.includes(name));

  it('read from the primary', () => {
    expect(named(READS).filter(({ mode }) => mode !== undefined && mode !== 'primary')).toEqual([]);
  });

  it('read with majority read concern outside of transactions', () => {
    const reads = named(READS).filter(({ inTransaction }) => !inTransaction);
    expect(reads.map(({ collection }) => collection)).toEqual(
      expect.arrayContaining(['credentials', 'tokens', 'resource_servers']),
    );
    expect(reads.filter(({ level }) => level !== 'majority' && level !== 'linearizable')).toEqual([]);
  });

  it('carry the time of a fence in every read that decides, and a time limit', () => {
    const fences = named(READS).filter(({ level }) => level === 'linearizable');
    expect(fences.map(({ collection }) => collection)).toEqual(expect.arrayContaining(['chain_heads']));
    const deciding = named(READS).filter(
      ({ inTransaction, collection, filter }) => !inTransaction && DECIDING[String(collection)] === filter,
    );
    expect(new Set(deciding.map(({ collection }) => collection))).toEqual(new Set(Object.keys(DECIDING)));
    // as it goes over the wire: the driver's own `find` drops it without a word
    expect(deciding.filter(({ after }) => after?._bsontype !== 'Timestamp')).toEqual([]);
    expect([...fences, ...deciding].filter(({ maxTimeMS = Infinity }) => maxTimeMS > 1_000)).toEqual([]);
  });

  it('carry a floor that is no older than the latest fence whose versions were read', () => {
    let published: BSON.Timestamp | undefined;
    let fenced: BSON.Timestamp | undefined;
    const margins: boolean[] = [];
    for (const { collection, filter, level, after, inTransaction } of sent) {
      // fences are sent one at a time: the state of the one before is published
      if (level === 'linearizable') published = fenced;
      else if (inTransaction || after === undefined) continue;
      else if (collection === 'chain_heads') fenced = after;
      else if (DECIDING[String(collection)] === filter && published !== undefined)
        margins.push(after.greaterThanOrEqual(published));
    }
    expect(margins.length).toBeGreaterThan(3);
    expect(margins).not.toContain(false);
  });

  it('run transactions with snapshot reads and majority commits', () => {
    const begun = sent.filter(({ begins }) => begins);
    const commits = named(['commitTransaction']);
    expect(begun.length).toBeGreaterThan(3);
    expect(commits.length).toBeGreaterThan(3);
    expect(begun.filter(({ level }) => level !== 'snapshot')).toEqual([]);
    expect(commits.filter(({ w }) => w !== 'majority')).toEqual([]);
  });

  it('wait for the journal', () => {
    const acknowledged = sent.filter(({ w }) => w !== undefined && w !== 0);
    expect(acknowledged.length).toBeGreaterThan(3);
    expect(acknowledged.filter(({ journal }) => journal !== true)).toEqual([]);
  });

  it('use only version 1 of the Stable API', () => {
    expect(sent.length).toBeGreaterThan(20);
    const outside = sent.filter(({ api, name }) => !api && name !== 'getMore');
    expect(outside.map(({ name }) => name)).toEqual([]);
  });

  it('monitor the server by streaming', () => {
    expect(named(['hello']).filter(({ streams }) => streams).length).toBeGreaterThan(0);
  });

  it('write with majority write concern outside of transactions', () => {
    const writes = named(WRITES).filter(({ inTransaction }) => !inTransaction);
    expect(writes.length).toBeGreaterThan(0);
    expect(writes.filter(({ w }) => w !== 'majority')).toEqual([]);
  });
});

function toSent(command: BSON.Document): Sent {
  const [name = '', collection] = Object.entries(command)[0] ?? [];
  const {
    filter = {},
    readConcern,
    maxTimeMS,
    writeConcern,
    $readPreference,
    autocommit,
    startTransaction,
  } = command as {
    readonly readConcern?: { readonly level?: string; readonly afterClusterTime?: BSON.Timestamp };
    readonly maxTimeMS?: number;
    readonly filter?: BSON.Document;
    readonly writeConcern?: { readonly w?: unknown; readonly j?: boolean; readonly journal?: boolean };
    readonly $readPreference?: { readonly mode: string };
    readonly autocommit?: boolean;
    readonly startTransaction?: boolean;
  };
  return {
    name,
    collection,
    filter: Object.entries(filter)
      .map(([key, value]) => (Array.isArray((value as { $in?: unknown } | null)?.$in) ? `${key}.$in` : key))
      .join(),
    level: readConcern?.level,
    after: readConcern?.afterClusterTime,
    maxTimeMS,
    w: writeConcern?.w,
    mode: $readPreference?.mode,
    inTransaction: autocommit === false,
    begins: startTransaction === true,
    journal: writeConcern?.j ?? writeConcern?.journal,
    api: command['apiVersion'] === '1' && command['apiStrict'] === true,
    streams: command['maxAwaitTimeMS'] !== undefined,
  };
}
