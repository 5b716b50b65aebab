import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClientSession } from 'mongoose';
import { loadConfig } from '#config';
import { Fence, StoreFenceSource } from '#fence';
import { migrateDatabase, migrations } from '#migrations';
import { Instances, MongoStore, SessionPool, StoreClock, Transactions } from '#mongo';
import { Metrics, createLogger } from '#observability';
import { User } from '../domain/user.ts';
import { UserRepository } from './user.repository.ts';

const uri = new URL(process.env['MONGODB_URI'] ?? '');
uri.pathname = `/it_${randomBytes(6).toString('hex')}`;
const logger = createLogger('silent');
const config = loadConfig({ MONGODB_URI: uri.href, REDIS_URL: 'redis://127.0.0.1' });
const clock = new StoreClock(logger, new Metrics());
const store = new MongoStore(config, logger, clock);
const users = new UserRepository(store, new Fence(new StoreFenceSource(store), config, logger));
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

describe('UserRepository', () => {
  // nothing but the repository's own lock is in the way here: no event, so no chain either
  it('accepts only one of two simultaneous removals of the last two platform-admins', async () => {
    const admins = ['one', 'two'].map((username) =>
      User.create(
        {
          username,
          passwordHash: 'none',
          roles: ['platform-admin'],
          operationIds: [],
          kind: 'person',
          auditedOperationIds: null,
        },
        new Date(),
      ),
    );
    await transactions.run(async (session) => {
      for (const admin of admins) await users.insert(admin, session);
    });
    const arrived: (() => void)[] = [];
    const bothAreSure = Promise.all(admins.map(() => new Promise<void>((resolve) => arrived.push(resolve))));
    const remove = async (admin: User, session: ClientSession): Promise<void> => {
      await users.takeTurn(session);
      await users.assertAnotherPlatformAdmin(admin.state.id, session);
      arrived.pop()?.();
      // without the lock both come to here at once; with it the other one cannot
      await Promise.race([bothAreSure, pause(200)]);
      await users.delete(admin, session);
    };
    const results = await Promise.allSettled(
      admins.map((admin) => transactions.run((session) => remove(admin, session))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
      code: 'last-platform-admin',
    });
    expect(await users.list(undefined, 10)).toHaveLength(1);
  });
});
