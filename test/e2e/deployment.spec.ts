import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import { anOperation } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import { Service, eventually, startService } from '../support/service.ts';

const BUNDLE = join(import.meta.dirname, '..', '..', 'dist', 'latchkey.mjs');

/** What an administrator sees who names a MongoDB that cannot keep the promises. */
describe('the configured MongoDB', () => {
  const database = new TestDatabase();
  const sets: ReplicaSet[] = [];
  const services: Service[] = [];

  beforeAll(async () => {
    await (await startService({ database })).stop();
  });
  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.stop()));
    await Promise.all(sets.splice(0).map((set) => set.stop()));
  });
  afterAll(() => database.drop());

  async function aSet(shape: Parameters<typeof ReplicaSet.start>[0]): Promise<ReplicaSet> {
    const set = await ReplicaSet.start(shape);
    sets.push(set);
    return set;
  }
  async function startedOn(set: ReplicaSet): Promise<Service> {
    const env = { MONGODB_URI: set.view.uri(database.uri) };
    const service = new Service(database, { database, env, awaitReady: false });
    services.push(service);
    return service.start();
  }
  const reasonOf = async (service: Service): Promise<unknown> =>
    (await service.logged(({ msg }) => msg === 'MongoDB cannot be used'))['reason'];
  const readiness = async (service: Service): Promise<number> => (await fetch(`${service.url}/readyz`)).status;

  it.each([
    ['a standalone', { persona: 'standalone' as const, members: 1 }, /standalone.*--replSet/],
    ['a release that is too old', { maxWireVersion: 17 }, /older than 7\.0/],
  ])('is refused if it is %s, and the log says what to do', async (_what, shape, reason) => {
    const service = await startedOn(await aSet(shape));
    expect(await reasonOf(service)).toMatch(reason);
    expect(await readiness(service)).toBe(503);
  });

  it('may be a sharded cluster with all collections on one shard', async () => {
    const set = await aSet({ persona: 'mongos', members: 2 });
    const service = await startedOn(set);
    await service.ready();
    expect((await anOperation(new Api(service.url))).id).toMatch(/^op_/);
  });

  it('is refused while a collection is sharded', async () => {
    const set = await aSet({ persona: 'mongos', members: 1 });
    await set.place(database.name, 'events', ['chain'], 'shard-0', 'shard-1');
    const service = await startedOn(set);
    expect(await reasonOf(service)).toMatch(/events are sharded/);
    expect(await readiness(service)).toBe(503);
    await set.place(database.name, 'events', null, 'shard-0');
    await service.ready();
  });

  it('is monitored for members whose clocks differ', async () => {
    const set = await aSet({});
    await set.skew(2, 5_000);
    const service = await startedOn(set);
    const line = await service.logged(
      ({ msg }) => msg?.startsWith('the clocks of the MongoDB members differ') === true,
    );
    expect(Number(line['differenceMs'])).toBeGreaterThan(4_000);
    await eventually(async () => (await readiness(service)) === 200);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toMatch(/^latchkey_store_clock_difference_seconds [45]\./m);
  });

  it('is not contacted if its URI weakens a guarantee: exit code 78, with every fault listed', () => {
    const uri = `${database.uri}?directConnection=true&w=1&journal=false`;
    const env = { PATH: process.env['PATH'], MONGODB_URI: uri, REDIS_URL: database.redisUrl };
    const { status, stderr } = spawnSync(process.execPath, [BUNDLE], { env, encoding: 'utf8' });
    expect(status).toBe(78);
    for (const option of ['directConnection', 'w', 'journal']) {
      expect(stderr).toContain(`MONGODB_URI: remove the option ${option}.`);
    }
  });
});
