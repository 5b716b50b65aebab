import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import { Api, basic } from '../support/api.ts';
import type { Answer, CredentialBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { Service, eventually } from '../support/service.ts';
import { limitHere } from '../support/slow-machine.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** What the contract says, in milliseconds; what a slow machine adds is measured while all is well. */
const ANSWER_LIMIT_MS = 3_000;
/** 20 for commands, and what watches the server. */
const CONNECTIONS_AT_MOST = 25;
const AT_ONCE = 8;
const ROUNDS = 3;

interface World {
  /** The credential that is edited, and asks for tokens. */
  readonly credential: CredentialBody;
  /** A token of another credential: nothing that is done meanwhile ends it. */
  readonly token: string;
  /** A token of `credential`, to be revoked. */
  readonly revocable: string;
  readonly api: string;
  readonly server: { username: string; password: string };
}

async function aWorld(admin: Api): Promise<World> {
  const { key } = await anApi(admin);
  const { id } = await anOperation(admin);
  const credential = await aCredential(admin, id, { apis: [key], tokenLimitPolicy: 'evict_oldest' });
  const other = await aCredential(admin, id, { apis: [key] });
  return {
    credential,
    token: await tokenOf(admin, other),
    revocable: await tokenOf(admin, credential),
    api: key,
    server: await aResourceServer(admin, [key]),
  };
}

async function tokenOf(admin: Api, client: CredentialBody): Promise<string> {
  const { status, body, text } = await admin.token(client);
  if (status !== 200) throw new Error(`no token: ${status} ${text}`);
  return body['access_token'] as string;
}

/** Asks one of each kind several times at once. @returns each time's answers */
function askMany(admin: Api, world: World, limitMs?: number): Promise<Record<string, unknown>[]> {
  return Promise.all(Array.from({ length: 10 }, () => askAll(admin, world, limitMs)));
}

/** One of each kind of request, and what it is answered when all is well. */
function requests(admin: Api, world: World): Record<string, { well: number; ask: () => Promise<Answer> }> {
  const { credential, token, revocable, api, server } = world;
  const operation = `/v1/operations/${credential.operationId}`;
  return {
    'admin read': { well: 200, ask: () => admin.get(operation) },
    'admin list': { well: 200, ask: () => admin.get(`${operation}/credentials`) },
    'event list': { well: 200, ask: () => admin.get('/v1/events') },
    'admin write': { well: 200, ask: () => admin.patch(pathOf(credential), { description: unique('edited') }) },
    'admin create': {
      well: 201,
      ask: () => admin.post('/v1/operations', { name: unique('operation') }, { idempotencyKey: unique('key') }),
    },
    token: { well: 200, ask: () => admin.token(credential) },
    introspection: { well: 200, ask: () => admin.introspect(server, token, '192.0.2.1') },
    revocation: { well: 200, ask: () => admin.revoke(credential, revocable) },
    'forward-auth': {
      well: 204,
      ask: () =>
        admin.as(null).get(`/oauth2/forward-auth?api=${api}`, {
          headers: {
            authorization: `Bearer ${token}`,
            'x-forward-auth-authorization': basic(server),
            'x-forward-auth-client-ip': '192.0.2.1',
          },
        }),
    },
  };
}

/** Asks one of each kind at once. @returns kind by kind: the status, or what else is wrong with it */
async function askAll(admin: Api, world: World, limitMs = Infinity): Promise<Record<string, unknown>> {
  const asked = Object.entries(requests(admin, world)).map(async ([kind, { ask }]) => {
    const startedAt = performance.now();
    const { status, headers, text } = await ask();
    const ms = performance.now() - startedAt;
    if (ms > limitMs) return [kind, `${status} after ${Math.round(ms)} ms, of ${Math.round(limitMs)} ms`];
    if (status === 503 && !headers.has('retry-after')) return [kind, '503 without Retry-After'];
    return [kind, text === '{"active":false}' ? 'inactive' : status];
  });
  return Object.fromEntries(await Promise.all(asked)) as Record<string, unknown>;
}

function all(admin: Api, world: World, status: number | 'well'): Record<string, number> {
  const kinds = Object.entries(requests(admin, world));
  return Object.fromEntries(kinds.map(([kind, { well }]) => [kind, status === 'well' ? well : status]));
}

describe('MongoDB', () => {
  const database = new TestDatabase();
  let proxy: TcpProxy;
  let service: Service;
  let admin: Api;
  let world: World;

  beforeAll(async () => {
    proxy = await TcpProxy.before(database.uri);
    // the lease off: with it, what was read a quarter of a second ago is answered without the store
    const env = { MONGODB_URI: proxy.storeUri(database.uri), LATCHKEY_LEASE_MS: '0' };
    service = await new Service(database, { database, env }).start();
    admin = new Api(service.url);
    world = await aWorld(admin);
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
    await proxy.away();
  });

  const faults: [string, () => unknown, () => unknown][] = [
    ['away', () => proxy.away(), () => proxy.open()],
    ['hanging', () => proxy.hang(true), () => proxy.hang(false)],
    ['so slow that nothing gets through', () => proxy.slow(1_500), () => proxy.slow(0)],
  ];

  it.each(faults)(
    '%s: requests that need it get 503 within three seconds, and the service recovers by itself',
    async (_how, begin, end) => {
      world = await aWorld(admin);
      expect(await askAll(admin, world)).toEqual(all(admin, world, 'well'));
      const startedAt = performance.now();
      await askMany(admin, world);
      const limitMs = limitHere(ANSWER_LIMIT_MS, performance.now() - startedAt);
      world = await aWorld(admin); // so that there is a token to revoke
      await begin();
      // at once, when the service has not noticed yet; then many at once; then when it has noticed
      const unavailable = all(admin, world, 503);
      expect(await askAll(admin, world, limitMs)).toEqual(unavailable);
      for (const answers of await askMany(admin, world, limitMs)) expect(answers).toEqual(unavailable);
      expect(proxy.connections).toBeLessThanOrEqual(CONNECTIONS_AT_MOST);
      expect((await fetch(`${service.url}/livez`)).status).toBe(200);
      expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
      await end();
      await service.ready();
      expect(await askAll(admin, world)).toEqual(all(admin, world, 'well'));
      expect(proxy.connections).toBeLessThanOrEqual(CONNECTIONS_AT_MOST);
    },
  );

  it('silently unreachable: no answer is wrong, and the service recovers by itself', async () => {
    world = await aWorld(admin);
    await service.ready();
    proxy.strand();
    const well = all(admin, world, 'well');
    for (const [kind, status] of Object.entries(await askAll(admin, world)))
      expect([well[kind], 503]).toContain(status);
    await eventually(async () => {
      world = await aWorld(admin);
      expect(await askAll(admin, world)).toEqual(all(admin, world, 'well'));
      return true;
    });
  });

  it.each([
    ['admin write', 'credential.updated.v2'],
    ['admin create', 'operation.created.v1'],
    ['token', 'token.issued.v1'],
    ['revocation', 'token.revoked.v1'],
  ])('lost in the middle of many changes (%s): each one succeeds or gets 503', async (kind, text) => {
    const worlds = await Promise.all(Array.from({ length: AT_ONCE }, () => aWorld(admin)));
    const asked = worlds.map((each) => requests(admin, each)[kind]!);
    for (let round = 0; round < ROUNDS; round += 1) {
      const held = proxy.hangAt({ text });
      const answers = asked.map(({ ask }) => ask());
      await held;
      proxy.cut();
      proxy.hang(false);
      for (const { status } of await Promise.all(answers)) expect([asked[0]!.well, 503]).toContain(status);
      // also where the driver took no notice of the loss, and all is connected anew
      await eventually(async () => (await aWorld(admin)).token !== '');
      // there is one revocation to each token
      if (kind === 'revocation') break;
    }
    await settled(database);
    expect(await disagreements(database)).toEqual([]);
  });

  it('slow: answers are correct and in time', async () => {
    world = await aWorld(admin);
    proxy.slow(120);
    const well = all(admin, world, 'well');
    for (let round = 0; round < 3; round += 1) {
      const answers = await askAll(admin, world);
      for (const [kind, status] of Object.entries(answers)) expect([well[kind], 503]).toContain(status);
      expect(answers['admin read']).toBe(200);
    }
    proxy.slow(0);
    await settled(database);
    expect(await disagreements(database)).toEqual([]);
  });

  it('unavailable at start: the service starts, reports it, and serves once MongoDB is available', async () => {
    const own = new TestDatabase();
    const door = await TcpProxy.before(own.uri);
    await door.away();
    const late = new Service(own, { database: own, awaitReady: false, env: { MONGODB_URI: door.storeUri(own.uri) } });
    try {
      await late.start();
      const api = new Api(late.url);
      expect((await fetch(`${late.url}/livez`)).status).toBe(200);
      expect((await fetch(`${late.url}/readyz`)).status).toBe(503);
      expect(await askAll(api, world)).toEqual(all(api, world, 503));
      await door.open();
      await late.ready();
      const there = await aWorld(api);
      expect(await askAll(api, there)).toEqual(all(api, there, 'well'));
      await eventually(async () => (await fetch(`${late.url}/readyz`)).status === 200);
    } finally {
      await late.stop();
      await own.drop();
      await door.away();
    }
  });
});
