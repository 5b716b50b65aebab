import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from '../support/builders.ts';
import { wrongClock } from '../support/clock.ts';
import { TestDatabase } from '../support/database.ts';
import { forgeJob, withQueue } from '../support/queues.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const HOUR_MS = 3_600_000;
/** How far what is written may be from the time, in milliseconds: the machine is busy. */
const NEAR_MS = 10_000;

/** What clients see of such instances is in test/e2e/time.spec.ts. */
describe.each([
  ['two hours ahead', 2 * HOUR_MS],
  ['two hours behind', -2 * HOUR_MS],
])('an instance whose clock is %s', (_how, byMs) => {
  const database = new TestDatabase();
  let right: Service;
  let wrong: Service;
  let admin: Api;
  let off: Api;
  let server: { username: string; password: string };
  let api: string;
  let operationId: string;

  beforeAll(async () => {
    // only the wrong one has workers
    right = await startService({ database, env: { LATCHKEY_ROLE: 'http' } });
    wrong = await startService({ database, env: wrongClock({ byMs }) });
    admin = new Api(right.url);
    off = new Api(wrong.url);
    api = (await anApi(admin)).key;
    operationId = (await anOperation(admin)).id;
    server = await aResourceServer(admin, [api]);
  });
  afterAll(async () => {
    await Promise.all([right.stop(), wrong.stop()]);
    await database.drop();
  });

  const aClient = (by: Api, attributes: object = {}): Promise<CredentialBody> =>
    aCredential(by, operationId, { apis: [api], ...attributes });

  async function aToken(by: Api, client: CredentialBody): Promise<string> {
    const { status, body } = await by.token(client);
    expect(status).toBe(200);
    return body['access_token'] as string;
  }

  /** What both instances say of a token. */
  async function verdicts(token: string): Promise<unknown[]> {
    const answers = await Promise.all([admin, off].map((by) => by.introspect(server, token)));
    return answers.map(({ body }) => body['active']);
  }

  /** Credentials whose tokens end when the store says so, and not when the log does. */
  const altered: string[] = [];

  async function endingIn(ms: number, credential: CredentialBody): Promise<void> {
    altered.push(credential.id);
    const tokens = await database.collection('tokens');
    await tokens.updateMany({ credentialId: credential.id }, { $set: { expiresAt: new Date(Date.now() + ms) } });
    await new Promise((resolve) => setTimeout(resolve, 300)); // the lease: it was read with another end
  }

  it('really has a wrong clock', async () => {
    const line = await wrong.logged(({ msg }) => msg === 'listening');
    expect(Math.abs(Date.parse(String(line['time'])) - Date.now() - byMs)).toBeLessThan(HOUR_MS / 2);
  });

  it('writes correct times', async () => {
    const before = Date.now();
    const client = await aClient(off, { expiresAt: new Date(before + HOUR_MS).toISOString(), tokenTtlSeconds: 600 });
    const token = await aToken(off, client);
    const { body } = await admin.introspect(server, token);
    expect(Math.abs(Number(body['iat']) * 1000 - before)).toBeLessThan(NEAR_MS);
    expect(Number(body['exp']) - Number(body['iat'])).toBe(600);
    const { body: state } = await admin.get<CredentialBody>(pathOf(client));
    for (const at of [state.createdAt, state.lastUsedAt!]) {
      expect(Math.abs(Date.parse(at) - before)).toBeLessThan(NEAR_MS);
    }
  });

  it('reuses the slot of an expired token, and of no live one', async () => {
    const client = await aClient(admin);
    for (let n = 0; n < 10; n += 1) await aToken(admin, client);
    expect((await off.token(client)).status).toBe(429);
    await endingIn(-1_000, client);
    expect((await off.token(client)).status).toBe(200);
  });

  it('prunes expired tokens, and nothing else', async () => {
    const [young, old] = [await aClient(admin), await aClient(admin)];
    const live = await aToken(admin, young);
    await aToken(admin, old);
    await endingIn(30_000, young);
    await endingIn(-60_000, old);
    const tokens = await database.collection('tokens');
    await forgeJob(database, 'maintenance', { name: 'prune-tokens' });
    await eventually(async () => (await tokens.countDocuments({ credentialId: old.id })) === 0);
    expect(await tokens.countDocuments({ credentialId: young.id })).toBe(1);
    expect(await verdicts(live)).toEqual([true, true]);
  });

  it('purges deleted credentials’ tokens', async () => {
    const client = await aClient(off);
    await aToken(off, client);
    await off.delete(pathOf(client));
    await settled(database, 30_000);
    const faults = await disagreements(database);
    expect(faults.filter((fault) => !altered.some((id) => fault.includes(id)))).toEqual([]);
  });

  it('leaves schedules that another instance takes over immediately, not in two hours', async () => {
    await forgeJob(database, 'maintenance', { name: 'prune-tokens' });
    await wrong.stop();
    const second = await startService({ database });
    try {
      const soon = Date.now() + 95_000; // the schedule's minute, and what clocks may differ by
      await withQueue(database, 'maintenance', (queue) =>
        eventually(async () => Number((await queue.getJobScheduler('prune-tokens'))?.next) < soon),
      );
    } finally {
      await second.stop();
      await wrong.start();
      off = new Api(wrong.url);
    }
  });
});

describe('an instance whose clock is set while MongoDB hangs', () => {
  const database = new TestDatabase();
  let proxy: TcpProxy;
  let service: Service;

  beforeAll(async () => {
    proxy = await TcpProxy.before(database.uri);
    const env = { MONGODB_URI: proxy.storeUri(database.uri), ...wrongClock({ byMs: 2 * HOUR_MS, fromStart: false }) };
    service = await startService({ database, env });
  });
  afterAll(async () => {
    proxy.hang(false);
    await service.stop();
    await database.drop();
    await proxy.away();
  });

  it('decides nothing until it knows the time again', async () => {
    const admin = new Api(service.url);
    const { key } = await anApi(admin);
    const client = await aCredential(admin, (await anOperation(admin)).id, { apis: [key] });
    const server = await aResourceServer(admin, [key]);
    const token = (await admin.token(client)).body['access_token'] as string;
    const ask = async (): Promise<number> => (await admin.introspect(server, token)).status;
    expect(await ask()).toBe(200);
    proxy.hang(true);
    await service.kill('SIGUSR2');
    await eventually(async () => (await ask()) === 503);
    // for longer than what is looked after in the background while requests come goes without it
    for (const untilMs = performance.now() + 1_500; performance.now() < untilMs;) expect(await ask()).toBe(503);
    expect((await admin.token(client)).status).toBe(503);
    expect((await admin.get('/v1/operations')).status).toBe(503);
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    proxy.hang(false);
    await eventually(async () => (await ask()) === 200);
    expect((await admin.introspect(server, token)).body['active']).toBe(true);
    expect(service.stderr).toBe('');
  });
});
