import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { RedisServer } from '../support/redis-server.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { limitHere } from '../support/slow-machine.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/**
 * By how much a deletion may take longer than while Redis is there, in milliseconds: nothing that it does waits for
 * Redis.
 */
const DELETE_LIMIT_MS = 1_000;
/** Far more than are of any use in the time, and far fewer than of workers that try again without a pause. */
const COMMANDS_AT_MOST = 2_000;
const SCHEDULES = 'maintenance:repeat';

interface World {
  readonly admin: Api;
  readonly operationId: string;
  readonly api: string;
  readonly server: { username: string; password: string };
}

async function aWorld(service: Service): Promise<World> {
  const admin = new Api(service.url);
  const { key } = await anApi(admin);
  const { id } = await anOperation(admin);
  return { admin, operationId: id, api: key, server: await aResourceServer(admin, [key]) };
}

async function aToken(world: World): Promise<{ credential: CredentialBody; token: string }> {
  const credential = await aCredential(world.admin, world.operationId, { apis: [world.api] });
  const { body } = await world.admin.token(credential);
  return { credential, token: body['access_token'] as string };
}

/**
 * Deletes three, and asks about their tokens at once.
 * @returns the quickest deletion, in milliseconds: a busy machine is not at fault
 */
async function deleteThree(world: World): Promise<number> {
  const doomed = [await aToken(world), await aToken(world), await aToken(world)];
  let quickestMs = Infinity;
  for (const { credential, token } of doomed) {
    const startedAt = performance.now();
    expect((await world.admin.delete(pathOf(credential))).status).toBe(204);
    quickestMs = Math.min(quickestMs, performance.now() - startedAt);
    expect((await world.admin.introspect(world.server, token)).text).toBe('{"active":false}');
    expect((await world.admin.token(credential)).status).toBe(401);
  }
  return quickestMs;
}

async function readiness(url: string): Promise<unknown> {
  const response = await fetch(`${url}/readyz`);
  return { code: response.status, ...((await response.json()) as object) };
}

async function becomes(url: string, status: 'ok' | 'degraded'): Promise<void> {
  await eventually(async () => {
    const answer = (await readiness(url)) as { code: number; status: string };
    expect(answer.code).toBe(200);
    return answer.status === status;
  });
}

describe('Redis', () => {
  const stopped: (() => Promise<unknown>)[] = [];
  let limitMs: number;

  beforeAll(async () => {
    const service = await startService();
    limitMs = limitHere(DELETE_LIMIT_MS, await deleteThree(await aWorld(service)));
    await service.stop();
    await service.database.drop();
  });
  afterEach(async () => {
    for (const stop of stopped.splice(0).reverse()) await stop();
  });

  async function start(
    redis: RedisServer,
    env: Record<string, string> = {},
    database = new TestDatabase(),
  ): Promise<Service> {
    const service = await startService({ database, env: { REDIS_URL: redis.url, ...env } });
    stopped.push(() => service.stop());
    return service;
  }

  describe('unavailable for a while', () => {
    let redis: RedisServer;
    let service: Service;
    let world: World;

    beforeAll(async () => {
      redis = await RedisServer.running();
      service = await startService({ env: { REDIS_URL: redis.url } });
      world = await aWorld(service);
    });
    afterAll(async () => {
      await service.stop();
      await service.database.drop();
      await redis.stop();
    });

    const faults: [string, () => unknown, () => unknown, boolean][] = [
      ['stopped', () => redis.freeze(), () => redis.thaw(), true],
      ['killed, and back without data', () => redis.kill(), () => redis.start(), true],
      [
        'full',
        () => redis.ask('CONFIG', 'SET', 'maxmemory', 1),
        () => redis.ask('CONFIG', 'SET', 'maxmemory', 0),
        false,
      ],
    ];

    it.each(faults)('%s: deletions are answered and in force, and purges wait', async (_how, begin, end, noticed) => {
      const { counted } = await backlog();
      await begin();
      expect(await deleteThree(world)).toBeLessThan(limitMs);
      if (noticed) await becomes(service.url, 'degraded');
      const { status } = await world.admin.token((await aToken(world)).credential);
      expect(status).toBe(200);
      expect((await backlog()).counted).toBe(counted + 3);
      await end();
      await settled(service.database);
      await becomes(service.url, 'ok');
      expect(await disagreements(service.database)).toEqual([]);
      await makeRoom();
    });

    async function backlog(): Promise<{ counted: number }> {
      return { counted: await (await service.database.collection('outbox')).countDocuments() };
    }

    /** An operation holds ten. */
    async function makeRoom(): Promise<void> {
      const left = await world.admin.all<CredentialBody>(`/v1/operations/${world.operationId}/credentials`);
      for (const credential of left) await world.admin.delete(pathOf(credential));
      await settled(service.database);
    }
  });

  it('emptied: waiting purges still run, and the schedules are restored', async () => {
    const redis = await RedisServer.running();
    stopped.push(() => redis.stop());
    const http = await start(redis, { LATCHKEY_ROLE: 'http' });
    stopped.push(() => http.database.drop());
    await deleteThree(await aWorld(http));
    const waiting = `${await http.database.redisPrefix()}:token-purge:wait`;
    await eventually(async () => Number(await redis.ask('LLEN', waiting)) > 0);
    await redis.ask('FLUSHALL');
    const worker = await start(redis, { LATCHKEY_ROLE: 'worker' }, http.database);
    await settled(http.database);
    expect(await disagreements(http.database)).toEqual([]);

    const schedules = `${await http.database.redisPrefix()}:${SCHEDULES}`;
    const had = await redis.ask('ZCARD', schedules);
    expect(had).toBeGreaterThan(0);
    await redis.ask('FLUSHALL');
    await eventually(async () => (await redis.ask('ZCARD', schedules)) === had);
    // not only the schedules: the workers work, though all they knew is gone
    await deleteThree(await aWorld(http));
    await settled(http.database);
    expect(worker.log.filter(({ msg }) => msg === 'schedule set').length).toBeGreaterThan(Number(had));
  });

  it('unavailable at start: the service starts, serves, reports it, and recovers by itself', async () => {
    const redis = await RedisServer.absent();
    stopped.push(() => redis.stop());
    const service = await start(redis);
    stopped.push(() => service.database.drop());
    expect(await readiness(service.url)).toEqual({
      code: 200,
      status: 'degraded',
      mongodb: 'up',
      redis: 'down',
      problems: [],
    });
    expect(await deleteThree(await aWorld(service))).toBeLessThan(limitMs);
    await redis.start();
    await settled(service.database);
    await becomes(service.url, 'ok');
    await eventually(
      async () => Number(await redis.ask('ZCARD', `${await service.database.redisPrefix()}:${SCHEDULES}`)) > 0,
      20_000,
    );
    expect(await disagreements(service.database)).toEqual([]);
  });

  it('silently unreachable: purges continue over new connections', async () => {
    const redis = await RedisServer.running();
    stopped.push(() => redis.stop());
    const proxy = await TcpProxy.before(redis.url);
    stopped.push(() => proxy.away());
    const service = await startService({ env: { REDIS_URL: proxy.urlFor(redis.url) } });
    stopped.push(() => service.database.drop());
    stopped.push(() => service.stop());
    const world = await aWorld(service);
    await becomes(service.url, 'ok');
    proxy.strand();
    expect(await deleteThree(world)).toBeLessThan(limitMs);
    await settled(service.database);
    await becomes(service.url, 'ok');
  });

  describe('lost while a job is running', () => {
    const faults: [string, (redis: RedisServer) => unknown, (redis: RedisServer) => unknown, boolean][] = [
      ['killed', (redis) => redis.kill(), (redis) => redis.start(), true],
      ['stopped', (redis) => redis.freeze(), (redis) => redis.thaw(), true],
      [
        'made a replica, as in a failover',
        (redis) => redis.ask('REPLICAOF', '127.0.0.1', 9),
        (redis) => redis.ask('REPLICAOF', 'NO', 'ONE'),
        false,
      ],
    ];

    it.each(faults)(
      '%s: the instance keeps serving, and its workers resume afterwards',
      async (_how, begin, end, noticed) => {
        const redis = await RedisServer.running();
        stopped.push(() => redis.stop());
        const database = new TestDatabase();
        stopped.push(() => database.drop());
        const proxy = await TcpProxy.before(database.uri);
        stopped.push(() => proxy.away());
        const service = await start(redis, { MONGODB_URI: proxy.storeUri(database.uri) }, database);
        const world = await aWorld(service);
        const { credential } = await aToken(world);
        const underWay = proxy.hangAt({ text: 'tokens.purged.v1' });
        await world.admin.delete(pathOf(credential));
        await underWay;
        await begin(redis);
        proxy.hang(false);
        if (noticed) await becomes(service.url, 'degraded');
        expect(await deleteThree(world)).toBeLessThan(limitMs);
        if (!noticed) expect(await commands(redis)).toBeLessThan(COMMANDS_AT_MOST);
        await end(redis);
        await settled(database);
        await becomes(service.url, 'ok');
        await deleteThree(world);
        await settled(database);
        expect(await disagreements(database)).toEqual([]);
      },
    );

    async function commands(redis: RedisServer): Promise<number> {
      return Number(/total_commands_processed:(\d+)/.exec(String(await redis.ask('INFO', 'stats')))?.[1]);
    }
  });

  it('unavailable: each instance still limits guessing, nobody is locked out, and the service reports it', async () => {
    const redis = await RedisServer.running();
    stopped.push(() => redis.stop());
    const service = await start(redis, { GUESS_LIMIT_PER_CLIENT: '3' });
    stopped.push(() => service.database.drop());
    const world = await aWorld(service);
    const { credential } = await aToken(world);
    const other = (await aToken(world)).credential;
    redis.freeze();
    const wrong = { ...credential, clientSecret: other.clientSecret };
    const statuses: number[] = [];
    for (let guess = 0; guess < 5; guess += 1) statuses.push((await world.admin.token(wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await world.admin.token(other)).status).toBe(200);
    expect(service.log.some(({ level, msg }) => level === 'warn' && /Redis is unavailable/.test(msg ?? ''))).toBe(true);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(Number(/^latchkey_guess_limiter_unavailable_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    redis.thaw();
  });
});
