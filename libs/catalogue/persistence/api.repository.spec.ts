import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '#config';
import { Fence, StoreFenceSource } from '#fence';
import { migrateDatabase, migrations } from '#migrations';
import { Instances, MongoStore, SessionPool, StoreClock, Transactions } from '#mongo';
import { Metrics, createLogger } from '#observability';
import { Api } from '../domain/api.ts';
import { ResourceServer } from '../domain/resource-server.ts';
import { ApiRepository } from './api.repository.ts';
import { ResourceServerRepository } from './resource-server.repository.ts';

const uri = new URL(process.env['MONGODB_URI'] ?? '');
uri.pathname = `/it_${randomBytes(6).toString('hex')}`;
const logger = createLogger('silent');
const config = loadConfig({ MONGODB_URI: uri.href, REDIS_URL: 'redis://127.0.0.1' });
const clock = new StoreClock(logger, new Metrics());
const store = new MongoStore(config, logger, clock);
const apis = new ApiRepository(store);
const servers = new ResourceServerRepository(store);
const fence = new Fence(new StoreFenceSource(store), config, logger);
const sessions = new SessionPool(store, new Instances(store, config, clock, logger));
const transactions = new Transactions(store, new Metrics(), sessions);

beforeAll(async () => {
  await migrateDatabase({ uri: uri.href, migrations, say: () => undefined, waitMs: 60_000 });
  await store.open();
});
afterAll(async () => {
  await store.connection.dropDatabase();
  await store.onApplicationShutdown();
});

describe('ApiRepository', () => {
  // nothing but the mark is in the way here: no event is written, so no chain either
  it.each([1, 2, 3])(
    'lets a marked API be either deleted or granted when both are tried at the same time (%i)',
    async (round) => {
      const key = `api-${round}`;
      await transactions.run((session) => apis.insert(Api.create(key, key, '', new Date()), session));
      const mark = await transactions.run((session) => apis.reserve(key, session));
      expect(await transactions.run((session) => apis.reserve(key, session))).toBe(mark);
      const arrived: (() => void)[] = [];
      const both = Promise.all([0, 1].map(() => new Promise<void>((resolve) => arrived.push(resolve))));
      const meet = async (): Promise<void> => {
        arrived.pop()?.();
        // were the mark not taken off, both would come to here; so the other one cannot
        await Promise.race([both, pause(200)]);
      };
      const server = ResourceServer.create({ name: key, apis: [key], requireClientIp: true }, 'digest', new Date());
      const [used, deleted] = await Promise.allSettled([
        transactions.run(async (session) => {
          await apis.claim([key], session);
          await servers.insert(server, session);
          await meet();
        }),
        transactions.run(async (session) => {
          if (await servers.usesApi(key, session)) throw new Error('it is used');
          if (!(await apis.isReserved(key, mark, session))) throw new Error('the mark is gone');
          await apis.delete(key, session);
          await meet();
        }),
      ]);
      expect([used.status, deleted.status].sort()).toEqual(['fulfilled', 'rejected']);
      if (used.status === 'rejected') expect(used.reason).toMatchObject({ code: 'unknown-api' });
      else await expect(apis.load(key)).resolves.toMatchObject({ state: { key } });
      expect((await servers.facts([server.state.id], await fence.ready())).size).toBe(
        used.status === 'fulfilled' ? 1 : 0,
      );
    },
  );
});
