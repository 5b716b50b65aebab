import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { RedisServer } from '../support/redis-server.ts';
import { Service, startService, startServices } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Moment } from '../support/tcp-proxy.ts';
import { Traffic } from '../support/traffic.ts';

const KILLS = 6;

describe('the service killed', () => {
  const services: Service[] = [];
  const databases: TestDatabase[] = [];

  afterEach(async () => {
    await Promise.all(services.splice(0).map((service) => service.stop('SIGKILL')));
  });
  afterAll(async () => {
    await Promise.all(databases.map((database) => database.drop()));
  });

  async function start(env: Record<string, string> = {}, database = new TestDatabase()): Promise<Service> {
    if (!databases.includes(database)) databases.push(database);
    const service = await startService({ database, env });
    services.push(service);
    return service;
  }

  describe('between commit and enqueue', () => {
    let redis: RedisServer;
    beforeAll(async () => void (redis = await RedisServer.absent()));
    afterAll(() => redis.stop());

    it('purges within a minute of the restart, once', async () => {
      const service = await start({ REDIS_URL: redis.url });
      const admin = new Api(service.url);
      const { key } = await anApi(admin);
      const credential = await aCredential(admin, (await anOperation(admin)).id, { apis: [key] });
      const server = await aResourceServer(admin, [key]);
      const token = (await admin.token(credential)).body['access_token'] as string;
      expect((await admin.delete(pathOf(credential))).status).toBe(204);
      await service.kill();

      const outbox = await service.database.collection('outbox');
      expect(await outbox.countDocuments({ subjectId: credential.id })).toBe(1);
      const stored = await service.database.collection('tokens');
      expect(await stored.countDocuments({ credentialId: credential.id })).toBe(1);

      await redis.start();
      await service.start();
      const again = new Api(service.url);
      expect((await again.introspect(server, token)).body).toEqual({ active: false });
      await settled(service.database);
      const purged = await again.events({ type: 'tokens.purged.v1', subject: credential.id });
      expect(purged.map(({ data }) => data['count'])).toEqual([1]);
      expect(await disagreements(service.database)).toEqual([]);
    });
  });

  describe('within the transaction of a deletion', () => {
    let proxy: TcpProxy;
    let service: Service;

    beforeAll(async () => {
      const database = new TestDatabase();
      proxy = await TcpProxy.before(database.uri);
      databases.push(database);
      service = new Service(database, { database, env: { MONGODB_URI: proxy.storeUri(database.uri) } });
      await service.start();
    });
    afterAll(async () => {
      await service.stop('SIGKILL');
      await proxy.away();
    });

    const moments: [string, Moment, 'nothing' | 'all'][] = [
      ['when the event was written and the outbox not', { text: 'credential.deleted.v1', passed: true }, 'nothing'],
      ['when all was written and nothing committed', { text: 'commitTransaction' }, 'nothing'],
      ['after the commit, before it was acknowledged', { text: 'commitTransaction', passed: true }, 'all'],
    ];

    it.each(moments)('%s', async (_when, moment, done) => {
      const admin = new Api(service.url);
      const { key } = await anApi(admin);
      const credential = await aCredential(admin, (await anOperation(admin)).id, { apis: [key] });
      const token = (await admin.token(credential)).body['access_token'] as string;
      const sprung = proxy.hangAt(moment);
      const unanswered = admin.delete(pathOf(credential)).catch(() => 'no answer');
      await sprung;
      await service.kill();
      expect(await unanswered).toBe('no answer');
      // what had reached the store stays so; what is held back never comes
      proxy.cut();
      proxy.hang(false);

      await service.start();
      const again = new Api(service.url);
      const self = { username: credential.clientId, password: credential.clientSecret };
      if (done === 'nothing') {
        expect((await again.introspect(self, token)).body).toMatchObject({ active: true });
        expect((await again.delete(pathOf(credential))).status).toBe(204);
      }
      expect((await again.get(pathOf(credential))).status).toBe(404);
      expect((await again.introspect(self, token)).status).toBe(401);
      await settled(service.database);
      expect(await disagreements(service.database)).toEqual([]);
    });
  });

  it('at random under load leaves each change whole or undone, and no ended token active', async () => {
    const database = new TestDatabase();
    databases.push(database);
    const pair = await startServices(2, { database });
    services.push(...pair);
    const url = (): string => pair[Math.floor(Math.random() * 2)]!.url;
    const traffic = await new Traffic({ url, callers: 10, borne: [0, 503] }).prepare();
    traffic.start();
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(200 + 800 * Math.random()); // under load, at random: that is the fault
      const victim = pair[kill % 2]!;
      await victim.kill();
      await victim.start();
    }
    await traffic.stop();
    expect(await traffic.askAboutTheDead()).toBeGreaterThan(0);
    expect(traffic.violations).toEqual([]);
    await settled(database);
    expect(await disagreements(database)).toEqual([]);
  });
});
