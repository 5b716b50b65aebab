import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AttentionModule, ListAttentionQuery } from '#attention';
import type { AttentionItem } from '#attention';
import { CreateApiCommand, CreateOperationCommand } from '#catalogue';
import { CreateCredentialCommand, CredentialsModule } from '#credentials';
import { MongoStore } from '#mongo';
import { DAY_MS, recordUseSince } from '../support/attention.ts';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

/** The collections that are read for the list. */
const FACTS = ['chain_faults', 'credentials', 'events', 'last_uses', 'operations', 'usage'];

type Stored = Record<string, unknown> & { readonly _id: string };

describe('the list of what needs a person', () => {
  const database = new TestDatabase();
  let instance: Instance;
  let api: string;
  const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);

  beforeAll(async () => {
    await recordUseSince(database, 100);
    instance = await startInstance(database, {}, [CredentialsModule, AttentionModule]);
    const command = new CreateApiCommand(callBy(), unique('api'), 'API', '');
    api = (await instance.commands.execute(command)).key;
  });
  afterAll(async () => {
    await instance.app.close();
    await database.drop();
  });

  /** A credential of 100 days in an operation of its own, used yesterday. @returns the id of the operation */
  async function anOldCredential(): Promise<string> {
    const { commands } = instance;
    const { id } = await commands.execute(new CreateOperationCommand(callBy(), unique('operation'), false));
    const attributes = {
      ...{ name: unique('credential'), description: '', owner: null, contact: null, labels: {}, apis: [api] },
      ...{ allowedIps: [], status: 'active', expiresAt: null, tokenTtlSeconds: 3600, tokenLimitPolicy: 'reject' },
    };
    await commands.execute(new CreateCredentialCommand(callBy(), id, attributes as never));
    const set = { createdAt: ago(100), updatedAt: ago(100), lastUsedAt: ago(1) };
    await (await database.collection('credentials')).updateOne({ operationId: id }, { $set: set });
    return id;
  }

  /** Copies an operation with its credential. */
  async function copy(operationId: string, times: number, withCredentials = true): Promise<string[]> {
    const operations = await database.collection<Stored>('operations');
    const credentials = await database.collection<Stored>('credentials');
    const operation = await operations.findOne({ _id: operationId });
    const credential = await credentials.findOne({ operationId });
    const copies = Array.from({ length: times }, () => unique('op_f'));
    await operations.insertMany(copies.map((_id) => ({ ...operation!, _id, name: _id, nameKey: _id })));
    if (!withCredentials) return copies;
    const inEach = copies.flatMap((id) => Array.from({ length: 10 }, (_, slot) => ({ operationId: id, slot })));
    await credentials.insertMany(
      inEach.map((place) => {
        const _id = unique('cr');
        return { ...credential!, ...place, _id, name: _id, nameKey: _id, clientId: _id };
      }),
    );
    return copies;
  }

  async function list(
    operationIds: readonly string[],
    after?: string,
    limit = 100,
  ): Promise<{
    items: readonly AttentionItem[];
    next: string | null;
  }> {
    return instance.queries.execute(new ListAttentionQuery({ operationIds, seesJobs: false }, {}, after, limit));
  }

  /** The reads that it takes. The instance's own work in the background reads other collections. */
  async function readsOf(read: () => Promise<unknown>): Promise<string[]> {
    const { connection } = instance.app.get(MongoStore);
    const reads: string[] = [];
    connection.set('debug', (collection: string, method: string) => {
      if (FACTS.includes(collection) && /^(find|aggregate)/.test(method)) reads.push(`${collection} ${method}`);
    });
    await read();
    connection.set('debug', false);
    return reads.sort();
  }

  it('asks the store as often for 450 credentials as for 20, with items about each of them', async () => {
    const operationId = await anOldCredential();
    const [few, many] = [await copy(operationId, 2), await copy(operationId, 45)];
    expect((await list(few)).items).toHaveLength(40); // unrestricted, and an unused API
    const [ofFew, ofMany] = [await readsOf(() => list(few)), await readsOf(() => list(many, undefined, 1_000))];
    expect(ofMany).toEqual(ofFew);
    expect(ofFew).toEqual([
      'chain_faults find',
      'credentials find',
      'last_uses aggregate', // of APIs
      'last_uses aggregate', // of addresses
      'operations find',
      'usage aggregate',
    ]);
    expect((await list(many, undefined, 1_000)).items).toHaveLength(900);
  });

  it('ends a page after 200 operations without items, and goes on with the next one', async () => {
    const operationId = await anOldCredential();
    const empty = await copy(operationId, 210, false);
    const last = 'op_last';
    const operations = await database.collection<Stored>('operations');
    const operation = await operations.findOne({ _id: operationId });
    await operations.insertOne({ ...operation!, _id: last, name: last, nameKey: last });
    await (await database.collection('credentials')).updateOne({ operationId }, { $set: { operationId: last } });
    const first = await list([...empty, last]);
    expect([first.items.length, first.next]).toEqual([0, expect.any(String)]);
    const second = await list([...empty, last], first.next ?? '');
    expect(second.items.map(({ kind, operationId: id }) => [kind, id])).toEqual([
      ['apis-unused', last],
      ['unrestricted-ips', last],
    ]);
    expect(second.next).toBeNull();
  });

  it('says nothing about unused APIs of a changed credential if events of that time are archived', async () => {
    const operationId = await anOldCredential();
    const kinds = async (): Promise<string[]> => (await list([operationId])).items.map(({ kind }) => kind);
    await (await database.collection('credentials')).updateOne({ operationId }, { $set: { updatedAt: ago(10) } });
    expect(await kinds()).toEqual(['apis-unused', 'unrestricted-ips']);
    const checkpoints = await database.collection<Stored>('checkpoints');
    await checkpoints.insertOne({ _id: 'cp_test', chain: operationId, operationId, seq: 1, at: ago(20) });
    const heads = await database.collection<Stored>('chain_heads');
    const archive = { throughSeq: 1, checkpointId: 'cp_test', file: 'x', sha256: '', hash: '', dropped: true };
    await heads.updateOne({ _id: operationId }, { $set: { archive } });
    expect(await kinds()).toEqual(['unrestricted-ips']);
  });
});
