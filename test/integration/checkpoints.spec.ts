import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  ExportCheckpointsQuery,
  ExportEventsCommand,
  ListCheckpointKeysQuery,
  ListCheckpointsQuery,
  SignCheckpointsCommand,
  VerifyLogQuery,
} from '#audit';
import { chainName } from '#chain';
import { isStoreUnavailable } from '#mongo';
import type { SigningReport } from '../../libs/audit/commands/sign-checkpoints.command.ts';
import { hashEvent } from '../../libs/chain/chain.ts';
import type { EventBody } from '../../libs/chain/chain.ts';
import { toLogEvent } from '../../libs/events/log/event-log.ts';
import type { EventDocument } from '../../libs/events/log/event.schema.ts';
import { TestDatabase } from '../support/database.ts';
import { parseLines, putEvents, tell, textOf, verifyText } from '../support/event-log/store.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
const databases: TestDatabase[] = [];
const instances: Instance[] = [];

afterAll(async () => {
  await Promise.all(instances.map(({ app }) => app.close()));
  await Promise.all(databases.map((database) => database.drop()));
  rmSync(folder, { recursive: true });
});

function aDatabase(): TestDatabase {
  const database = new TestDatabase();
  databases.push(database);
  return database;
}

function aKeyFile(name: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const path = join(folder, name);
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return path;
}

async function started(database: TestDatabase, keyFile?: string): Promise<Instance> {
  const instance = await startInstance(database, keyFile === undefined ? {} : { LATCHKEY_SIGNING_KEY_FILE: keyFile });
  instances.push(instance);
  return instance;
}

/** An instance with a key of its own, on a database of its own. */
async function aLog(): Promise<{ database: TestDatabase; instance: Instance }> {
  const database = aDatabase();
  return { database, instance: await started(database, aKeyFile(`${database.name}.pem`)) };
}

/** Signs as an auditor; again, where a busy machine makes it too slow. */
async function sign({ commands }: Instance, chain?: string): Promise<SigningReport> {
  for (;;) {
    try {
      return await commands.execute(
        new SignCheckpointsCommand(callBy('us_auditor'), chain === undefined ? undefined : chainName(chain)),
      );
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error;
    }
  }
}
const checkpointsOf = ({ queries }: Instance, chain?: string) =>
  queries.execute(
    new ListCheckpointsQuery(chain === undefined ? undefined : chainName(chain), undefined, undefined, 1000),
  );
const keysOf = ({ queries }: Instance) => queries.execute(new ListCheckpointKeysQuery());
const proofOf = ({ queries }: Instance, chain: string) => queries.execute(new VerifyLogQuery(chainName(chain)));
const exported = async ({ commands }: Instance): Promise<string> =>
  textOf(await commands.execute(new ExportEventsCommand(callBy(), { format: 'ndjson' })));

/** Signed material as an auditor fetches it. */
async function material(instance: Instance) {
  const checkpoints: unknown = JSON.parse(
    await textOf(await instance.queries.execute(new ExportCheckpointsQuery(undefined, undefined))),
  );
  return { checkpoints, keys: { keys: await keysOf(instance) } };
}

/** Changes an event and hashes it and all behind it anew, as whoever owns the database could. */
async function rewrite(database: TestDatabase, chain: string, seq: number): Promise<void> {
  const events = await database.collection<EventDocument>('events');
  const behind = await events.find({ chain: chainName(chain), seq: { $gte: seq } }, { sort: { seq: 1 } }).toArray();
  let prevHash = behind[0]!.prevHash;
  for (const event of behind) {
    const data = event.seq === seq ? { ...event.data, forged: true } : event.data;
    const body: EventBody = { ...toLogEvent({ ...event, data }), prevHash };
    const hash = hashEvent(body);
    await events.updateOne({ _id: event._id }, { $set: { data, prevHash, hash } });
    prevHash = hash;
  }
  const heads = await database.collection<{ _id: string }>('chain_heads');
  await heads.updateOne({ _id: chain }, { $set: { hash: prevHash } });
}

describe('signing', () => {
  it('signs the last event of every chain, and nothing twice', async () => {
    const { database, instance } = await aLog();
    await putEvents(database, 'op_a', 1200);
    await putEvents(database, 'op_b', 3);
    expect(await sign(instance)).toMatchObject({ signed: 3, upToDate: 0, faults: [] });
    expect(await checkpointsOf(instance, 'op_a')).toMatchObject([{ operationId: 'op_a', seq: 1200 }]);
    // the platform's chain has grown by the request itself
    expect(await sign(instance)).toMatchObject({ signed: 3, upToDate: 2, faults: [] });
    expect(await sign(instance, 'op_b')).toMatchObject({ signed: 1, upToDate: 1, items: [] });
    await tell(instance, 'op_b');
    const { items } = await sign(instance, 'op_b');
    expect(items).toMatchObject([{ operationId: 'op_b', seq: 4 }]);
    expect((await checkpointsOf(instance))[0]).toEqual(items[0]);
    await expect(sign(instance, 'op_none')).rejects.toMatchObject({ code: 'not-found' });
    const requests = parseLines(await exported(instance)).filter(({ type }) => type === 'checkpoints.requested.v1');
    expect(requests).toMatchObject([
      { operationId: null, actor: { id: 'us_auditor' }, data: { operationId: null } },
      { data: { operationId: null } },
      { data: { operationId: 'op_b' } },
      { data: { operationId: 'op_b' } },
    ]);
  });

  it('by the schedule writes no event, and signs nothing if nothing happened', async () => {
    const { database, instance } = await aLog();
    await putEvents(database, 'op_a', 3);
    await instance.commands.execute(new SignCheckpointsCommand());
    const before = await checkpointsOf(instance);
    expect(await instance.commands.execute(new SignCheckpointsCommand())).toMatchObject({ upToDate: 2 });
    expect(await checkpointsOf(instance)).toEqual(before);
  });

  it('makes an export verifiable by the command line, which detects changes', async () => {
    const { database, instance } = await aLog();
    await putEvents(database, 'op_a', 1200);
    await putEvents(database, 'op_b', 4);
    await sign(instance);
    const text = await exported(instance);
    const signed = await material(instance);
    expect(await verifyText([text], signed)).toMatchObject({ exit: 0 });
    const lines = text.split('\n').filter((line) => line !== '');
    const cut = lines.filter((line) => !line.includes('"op_b"') || !line.includes('"seq":4,'));
    expect(cut).toHaveLength(lines.length - 1);
    expect(await verifyText([`${cut.join('\n')}\n`], signed)).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/op_b: event seq 4: tail/),
    });
    const edited = text.replace('"requestId":"req-700"', '"requestId":"req-701"');
    expect(await verifyText([edited], signed)).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/op_a: event seq 700: hash/),
    });
  });

  it('refuses to sign a chain that does not continue from the last checkpoint', async () => {
    const chain = 'op_rewritten';
    const { database, instance } = await aLog();
    await putEvents(database, chain, 20);
    await sign(instance, chain);
    await putEvents(database, chain, 10);
    await rewrite(database, chain, 15);
    const proof = await proofOf(instance, chain);
    expect(proof).toMatchObject({ whole: false, chains: [{ fault: { seq: 20, reason: 'checkpoint' } }] });
    expect(await sign(instance, chain)).toMatchObject({ signed: 0, faults: [{ operationId: chain, seq: 21 }] });
    await expect(instance.commands.execute(new SignCheckpointsCommand())).rejects.toThrow('have faults');
    expect(await checkpointsOf(instance, chain)).toMatchObject([{ seq: 20 }]);
  });

  it('refuses to sign a chain whose end was cut off', async () => {
    const chain = 'op_cut';
    const { database, instance } = await aLog();
    await putEvents(database, chain, 20);
    await sign(instance, chain);
    const events = await database.collection<EventDocument>('events');
    const last = await events.findOne({ chain: chainName(chain), seq: 18 });
    await events.deleteMany({ chain: chainName(chain), seq: { $gt: 18 } });
    const heads = await database.collection<{ _id: string }>('chain_heads');
    await heads.updateOne({ _id: chain }, { $set: { seq: 18, hash: last!.hash } });
    expect(await sign(instance, chain)).toMatchObject({ signed: 0, faults: [{ seq: 19, reason: 'tail' }] });
    expect(await proofOf(instance, chain)).toMatchObject({
      whole: false,
      chains: [{ events: 18, lastSeq: 18, fault: { seq: 19, reason: 'tail' } }],
    });
    // nor one of which nothing is left
    await events.deleteMany({ chain: chainName(chain) });
    await heads.deleteOne({ _id: chain });
    expect(await proofOf(instance, chain)).toMatchObject({
      whole: false,
      chains: [{ events: 0, firstSeq: null, fault: { seq: 1, reason: 'tail' } }],
    });
  });

  it('detects a checkpoint that was signed by a foreign key', async () => {
    const chain = 'op_forged';
    const { database, instance } = await aLog();
    const { seq, hash } = await putEvents(database, chain, 5);
    await sign(instance, chain);
    const checkpoints = await database.collection('checkpoints');
    await checkpoints.updateOne({ chain: chainName(chain), seq }, { $set: { at: new Date() } });
    expect(await proofOf(instance, chain)).toMatchObject({
      whole: false,
      chains: [{ hash, fault: null, checkpoint: null, checkpointFaults: [{ reason: 'signature' }] }],
    });
    expect(await sign(instance, chain)).toMatchObject({ signed: 0, faults: [{ seq: 5, reason: 'checkpoint' }] });
  });
});

describe('the signing key', () => {
  it('is generated once and stored if none is configured; all instances share it', async () => {
    const database = aDatabase();
    const both = await Promise.all([started(database), started(database)]);
    const [keys, same] = await Promise.all(both.map(keysOf));
    expect(keys).toEqual(same);
    expect(keys).toHaveLength(1);
    await Promise.all(both.map((instance) => sign(instance)));
    expect(new Set((await checkpointsOf(both[0])).map(({ keyId }) => keyId))).toEqual(new Set([keys?.[0]?.kid]));
  });

  it('is rotated by starting with another; the old one stays published, and no longer signs', async () => {
    const database = aDatabase();
    const old = await started(database, aKeyFile('old.pem'));
    await putEvents(database, 'op_a', 10);
    await sign(old);
    const [oldKey] = await keysOf(old);
    const fresh = await started(database, aKeyFile('new.pem'));
    await putEvents(database, 'op_a', 10);
    await sign(fresh);
    const keys = await keysOf(fresh);
    expect(keys).toHaveLength(2);
    expect(keys[0]).not.toHaveProperty('latchkey_retired_at');
    expect(keys[1]).toMatchObject({ kid: oldKey!.kid, latchkey_retired_at: expect.any(String) });
    // the instance that still has the old key, and one that gets it again
    await expect(sign(old)).rejects.toMatchObject({ code: 'signing-unavailable' });
    const again = await started(database, join(folder, 'old.pem'));
    await expect(sign(again)).rejects.toMatchObject({ code: 'signing-unavailable' });
    expect(await keysOf(again)).toEqual(keys);
    const text = await exported(fresh);
    const rotations = parseLines(text).filter(({ type }) => type === 'checkpoint-key.rotated.v1');
    expect(rotations).toMatchObject([
      { subject: { id: oldKey!.kid }, data: { retiredKeyId: null } },
      { subject: { id: keys[0]!.kid }, data: { retiredKeyId: oldKey!.kid } },
    ]);
    await sign(fresh);
    expect(await verifyText([await exported(fresh)], await material(fresh))).toMatchObject({ exit: 0 });
  });

  it('is retired by one of many instances that start together, and no checkpoint is later than its key’s retirement', async () => {
    const database = aDatabase();
    const old = await started(database, aKeyFile('racing-old.pem'));
    await sign(old);
    const path = aKeyFile('racing-new.pem');
    const race = { on: true };
    const signing = (async () => {
      while (race.on) {
        await tell(old, 'op_a', {}, 20_000);
        await sign(old).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'signing-unavailable' });
          race.on = false;
        });
      }
    })();
    const fresh = await Promise.all([0, 1, 2].map(() => started(database, path)));
    await Promise.all(fresh.map((instance) => sign(instance)));
    await signing;
    const keys = await keysOf(fresh[0]!);
    expect(keys).toHaveLength(2);
    expect(keys.filter((key) => key.latchkey_retired_at === undefined)).toHaveLength(1);
    const { chains, whole } = await fresh[0]!.queries.execute(new VerifyLogQuery());
    expect(chains.map(({ checkpointFaults }) => checkpointFaults)).toEqual(chains.map(() => []));
    expect(whole).toBe(true);
  });
});
