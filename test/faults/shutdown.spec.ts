import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { STORE_DEADLINE_MS } from '#mongo';
import { freePort } from '../../tools/local-stores/ports.ts';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import { aCredential, anApi, anOperation, unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { nginxBefore } from '../support/nginx.ts';
import { FORM, RawConnection, basicLine, rawRequest } from '../support/raw-http.ts';
import { RedisServer } from '../support/redis-server.ts';
import { ADMIN, eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Traffic } from '../support/traffic.ts';

const RESTARTS = 3;

/**
 * Ends it as an orchestrator does. That it takes less than ten seconds shows in the code, whatever the machine: after
 * nine seconds by its own clock the service gives up and exits with 1 (LIMIT_MS in apps/api/src/shutdown.ts).
 *
 * @returns its exit code
 */
function terminate(service: Service): Promise<number | null> {
  return service.stop('SIGTERM');
}

/** The requests that it refused with 503 although their deadline had not come. */
function quickRefusals({ log }: Service): readonly object[] {
  return log.filter(({ status, ms }) => status === 503 && Number(ms) < STORE_DEADLINE_MS);
}

/** Whether it takes no new connections. */
async function isRefused(service: Service): Promise<boolean> {
  try {
    (await RawConnection.open(service.url)).close();
    return false;
  } catch {
    return true;
  }
}

describe('shutdown', () => {
  const left: (() => Promise<unknown>)[] = [];
  const databases: TestDatabase[] = [];
  afterEach(async () => {
    for (const clean of left.splice(0).reverse()) await clean();
  });
  afterAll(async () => {
    await Promise.all(databases.map((database) => database.drop()));
  });

  async function start(env: Record<string, string> = {}, database = new TestDatabase()): Promise<Service> {
    if (!databases.includes(database)) databases.push(database);
    const service = await startService({ database, env });
    left.push(() => service.stop('SIGKILL'));
    return service;
  }

  async function open(service: Service, sent = ''): Promise<RawConnection> {
    const connection = await RawConnection.open(service.url);
    left.push(() => {
      connection.close();
      return Promise.resolve();
    });
    connection.send(sent);
    return connection;
  }

  it('of one of two instances behind nginx under load fails no request, with exit code 0', async () => {
    const ports = [await freePort(), await freePort()];
    const env = (port: number): Record<string, string> => ({ PORT: String(port), TRUSTED_PROXIES: '127.0.0.1/32' });
    const first = await start(env(ports[0]!));
    const second = await start(env(ports[1]!), first.database);
    const nginx = await nginxBefore(ports);
    left.push(() => nginx.stop());
    const traffic = await new Traffic({
      url: () => `http://127.0.0.1:${nginx.port}`,
      callers: 8,
      operations: 6,
      mix: { ask: 60 },
      borne: [503], // of a machine that is too slow: see below
    }).prepare();
    left.push(() => traffic.stop());
    traffic.start();
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      const leaving = restart % 2 === 0 ? first : second;
      expect(await terminate(leaving)).toBe(0);
      await leaving.start();
    }
    await traffic.stop();
    expect(traffic.violations).toEqual([]);
    expect([first, second].flatMap(quickRefusals)).toEqual([]);
    await settled(first.database);
    expect(await disagreements(first.database)).toEqual([]);
  });

  it.each([
    ['for an operation', 'operation.created.v1', 201],
    ['for a token', 'token.issued.v1', 200],
  ])('answers a request %s in progress, and asks its client to close the connection', async (what, event, status) => {
    const database = new TestDatabase();
    const proxy = await TcpProxy.before(database.uri);
    left.push(() => proxy.away());
    const service = await start({ MONGODB_URI: proxy.storeUri(database.uri) }, database);
    const admin = new Api(service.url);
    const credential = await aCredential(admin, (await anOperation(admin)).id, { apis: [(await anApi(admin)).key] });
    const json = 'Content-Type: application/json';
    const request =
      what === 'for a token'
        ? {
            target: '/oauth2/token',
            headers: [FORM, basicLine(`${credential.clientId}:${credential.clientSecret}`)],
            body: 'grant_type=client_credentials',
          }
        : {
            target: '/v1/operations',
            headers: [json, basicLine(`${ADMIN.username}:${ADMIN.password}`)],
            body: JSON.stringify({ name: unique('operation') }),
          };
    const held = proxy.hangAt({ text: event });
    const connection = await open(service, rawRequest(request));
    await held;
    const ended = terminate(service);
    await eventually(() => isRefused(service));
    proxy.hang(false);
    const answer = await connection.answer();
    expect([answer.status, answer.headers.get('connection')]).toEqual([status, 'close']);
    expect(await ended).toBe(0);
  });

  it.each(['stopped', 'killed', 'never there'])('exits with 0 in time while Redis is %s', async (how) => {
    const redis = await RedisServer.absent();
    left.push(() => redis.stop());
    if (how !== 'never there') await redis.start();
    const service = await start({ REDIS_URL: redis.url });
    const admin = new Api(service.url);
    const credential = await aCredential(admin, (await anOperation(admin)).id, { apis: [(await anApi(admin)).key] });
    if (how === 'stopped') redis.freeze();
    if (how === 'killed') await redis.kill();
    expect((await admin.delete(`/v1/operations/${credential.operationId}/credentials/${credential.id}`)).status).toBe(
      204,
    );
    expect(await terminate(service)).toBe(0);
  });

  it.each(['away', 'hanging'])('exits with 0 in time while MongoDB is %s', async (how) => {
    const database = new TestDatabase();
    const proxy = await TcpProxy.before(database.uri);
    left.push(() => proxy.away());
    const service = await start({ MONGODB_URI: proxy.storeUri(database.uri) }, database);
    if (how === 'away') await proxy.away();
    else proxy.hang(true);
    const unanswered = new Api(service.url).get('/v1/operations');
    expect(await terminate(service)).toBe(0);
    expect((await unanswered).status).toBe(503);
    if (how === 'away') await proxy.open();
  });

  describe.each(['SIGTERM', 'SIGINT'] as const)('by %s, with connections open', (signal) => {
    const health = rawRequest({ method: 'GET', target: '/livez' });
    const partOfHead = health.slice(0, -2);

    it('closes idle and half-sent connections', async () => {
      const service = await start();
      const answered = await open(service, health);
      expect((await answered.answer()).status).toBe(200);
      answered.send(partOfHead);
      await open(service);
      await open(service, partOfHead);
      expect((await (await open(service, health)).answer()).status).toBe(200); // all that was sent before has come
      expect(await service.stop(signal)).toBe(0);
    });

    it('answers a request in progress, and then closes its connection', async () => {
      const service = await start();
      const body = 'grant_type=client_credentials';
      const request = rawRequest({ target: '/oauth2/token', headers: [FORM], body });
      const slow = await open(service, request.slice(0, -10));
      const never = await open(service, partOfHead);
      expect((await (await open(service, health)).answer()).status).toBe(200);
      const ended = service.stop(signal);
      await expect(never.answer()).rejects.toThrow('no whole answer came'); // closed: no one waits for it any more
      slow.send(request.slice(-10));
      expect((await slow.answer()).status).toBe(401);
      expect(await ended).toBe(0);
    });
  });

  it('is visible at /readyz, and asks callers to close their connections', async () => {
    const service = await start();
    const ended = terminate(service);
    await eventually(async () => {
      const { status, headers } = await fetch(`${service.url}/readyz`);
      return status === 503 && headers.get('connection') === 'close';
    });
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    expect(await ended).toBe(0);
  });
});
