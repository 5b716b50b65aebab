import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import { loadConfig } from '#config';
import { connectRedis } from '#redis';
import type { Answer, CredentialBody, OperationBody, PageBody } from '../support/api.ts';
import { DAY_MS, applyFix, attention, makeOlder, recordUseSince } from '../support/attention.ts';
import type { AttentionBody } from '../support/attention.ts';
import { aCredential, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { OAuthWorld, makeSecretsOlder } from '../support/oauth-world.ts';
import { sendRaw } from '../support/raw-http.ts';
import { eventually } from '../support/service.ts';

const HOUR_MS = 3_600_000;
const IPS = { allowedIps: ['127.0.0.1'] };
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

describe('GET /v1/attention', () => {
  const database = new TestDatabase();
  let world: OAuthWorld;

  beforeAll(async () => {
    await recordUseSince(database, 100);
    // no worker, so that a job that is tried again is not tried
    world = await OAuthWorld.start(1, { database, env: { LATCHKEY_ROLE: 'http' } });
  });
  afterAll(async () => {
    await world.stop();
  });

  /** An operation with one credential, which may break the rules. */
  async function governed(rules: object, credential: object): Promise<CredentialBody> {
    const { id } = await anOperation(world.api);
    const made = await aCredential(world.api, id, credential);
    const path = `/v1/operations/${id}`;
    const { status } = await world.api.patch(path, rules);
    if (status === 409) expect((await world.api.patch(path, { ...rules, enforce: 'new' })).status).toBe(200);
    return made;
  }

  async function refused(
    credential: CredentialBody,
    reason: string,
    counts: readonly [number, number][],
  ): Promise<void> {
    const usage = await database.collection<{ _id: string }>('usage');
    for (const [hoursAgo, count] of counts) {
      const hour = new Date(Math.floor(Date.now() / HOUR_MS - hoursAgo) * HOUR_MS);
      const none = { issued: 0, used: 0, lastUsedAt: null, addresses: [], apis: [], secrets: [], revision: 1 };
      const refusals = { ...none, hour, credentialId: credential.id, refused: [{ reason, count }] };
      await usage.insertOne({ _id: unique('uh'), ...refusals });
    }
  }

  const of = async ({ operationId }: CredentialBody): Promise<AttentionBody[]> =>
    attention(world.api, `operationId=${operationId}`);

  /** Waits until the counts in memory are written. */
  const useIsWritten = (credential: CredentialBody, kind: string, values: readonly string[]): Promise<void> =>
    eventually(async () => {
      const uses = await database.collection<{ credentialId: string; kind: string; value: string }>('last_uses');
      const seen = (await uses.find({ credentialId: credential.id, kind }).toArray()).map(({ value }) => value);
      return values.every((value) => seen.includes(value));
    });

  const forwardAuth = (token: string, api: string): Promise<{ status: number }> => {
    const { username, password } = world.resourceServer;
    const gateway = `X-Forward-Auth-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const headers = [`Authorization: Bearer ${token}`, gateway, 'X-Forward-Auth-Client-IP: 127.0.0.1'];
    return sendRaw(world.url, { method: 'GET', target: `/oauth2/forward-auth?api=${api}`, headers });
  };

  async function useApi(client: CredentialBody, api: string): Promise<void> {
    expect((await forwardAuth(await world.tokenOf(client), api)).status).toBe(204);
    await useIsWritten(client, 'api', [api]);
  }

  it('has nothing to say of a credential that is limited, in use and far from its end', async () => {
    expect(await of(await world.client({ ...IPS, expiresAt: inDays(60) }))).toEqual([]);
  });

  it('tells what ends within 30 days, with its end and how urgent it is', async () => {
    const client = await world.client({ ...IPS, expiresAt: inDays(10) });
    const [item, ...others] = await of(client);
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      ...{ kind: 'credential-expiring', severity: 'warning', operationId: client.operationId },
      subject: { type: 'credential', id: client.id, name: client.name },
      until: client.expiresAt,
      fix: { method: 'PATCH', path: pathOf(client), ifMatch: '"v1"' },
    });
    const before = async (days: number): Promise<number> =>
      (await attention(world.api, `operationId=${client.operationId}&endsBefore=${inDays(days)}`)).length;
    expect([await before(9), await before(11)]).toEqual([0, 1]);
  });

  it('does not announce ends that a short policy makes inevitable', async () => {
    const client = await governed(
      { policy: { maxSecretAgeDays: 20, maxCredentialDays: 20 } },
      { ...IPS, expiresAt: inDays(19) },
    );
    expect(await of(client)).toEqual([]);
    await makeSecretsOlder(world, client, 10);
    expect((await of(client)).map(({ kind }) => kind)).toEqual(['secret-expiring']);
  });

  it('tells that a client still uses the old secret of a rotation', async () => {
    const client = await world.client(IPS);
    await world.api.post(`${pathOf(client)}/rotate-secret`, { overlapSeconds: 86_400 });
    expect(await of(client)).toEqual([]);
    await world.tokenOf(client);
    const [item, ...others] = await of(client);
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      ...{ kind: 'rotation-ending-in-use', severity: 'critical' },
      fix: { method: 'DELETE', path: `${pathOf(client)}/secrets/${client.secrets[0]!.id}` },
    });
  });

  it('proposes the addresses that were seen as Allowed IPs, and to disable a credential that nobody uses', async () => {
    const client = await world.client();
    const unused = await world.client();
    const token = await world.tokenOf(client);
    expect(await world.isActive(token, { clientIp: '192.0.2.7' })).toBe(true);
    await useIsWritten(client, 'address', ['127.0.0.1', '192.0.2.7']);
    const [item] = await of(client);
    expect(item).toMatchObject({ kind: 'unrestricted-ips', fix: { method: 'PATCH', path: pathOf(client) } });
    expect([...(item!.fix!.body!['allowedIps'] as string[])].sort()).toEqual(['127.0.0.1', '192.0.2.7']);
    expect(item!.fix!.effect).toContain('No other use was seen');
    expect((await of(unused))[0]).toMatchObject({ kind: 'unrestricted-ips', fix: { body: { status: 'disabled' } } });
  });

  it('tells which APIs were granted 90 days ago and not called since; a token for them is not a call', async () => {
    const { key } = await anApi(world.api);
    const client = await world.client(IPS);
    await useApi(client, world.keys[0]);
    await makeOlder(database, client, 91);
    await world.api.patch(`${pathOf(client)}/apis`, { add: [key] }); // a new grant
    const items = await of(client);
    expect(items).toMatchObject([{ kind: 'apis-unused', fix: { path: `${pathOf(client)}/apis`, ifMatch: '"v2"' } }]);
    expect(items[0]!.fix!.body).toEqual({ remove: [world.keys[1]] });
    await makeOlder(database, client, 89);
    expect(await of(client)).toEqual([]);
  });

  it('counts an API as newly granted when it was taken away and granted again', async () => {
    const client = await world.client(IPS);
    await useApi(client, world.keys[0]);
    await makeOlder(database, client, 91);
    expect(await of(client)).toHaveLength(1);
    await world.api.patch(`${pathOf(client)}/apis`, { remove: [world.keys[1]] });
    await world.api.patch(`${pathOf(client)}/apis`, { add: [world.keys[1]] });
    expect(await of(client)).toEqual([]);
  });

  it('tells of a credential without use for 90 days, and does not repeat that for each API', async () => {
    const client = await world.client(IPS);
    await makeOlder(database, client, 91);
    expect(await of(client)).toMatchObject([{ kind: 'credential-unused', fix: { body: { status: 'disabled' } } }]);
    await world.tokenOf(client);
    expect((await of(client)).map(({ kind }) => kind)).toEqual(['apis-unused']);
  });

  it('tells of refusals by address or limit that are more than twice as many as in the week before', async () => {
    const rising = await world.client(IPS);
    const usual = await world.client(IPS);
    for (const client of [rising, usual]) {
      await makeOlder(database, client, 30);
      await refused(client, 'address', [[3, 30]]);
    }
    await refused(usual, 'address', [
      [50, 70],
      [100, 70],
    ]);
    expect((await of(rising)).map(({ kind }) => kind)).toEqual(['refusals-rising']);
    expect(await of(usual)).toEqual([]);
  });

  it('tells of a chain that does not verify, until it is repaired and the fix is applied', async () => {
    const client = await world.client(IPS);
    const events = await database.collection<{ _id: string; operationId: string; data: object }>('events');
    const found = await events.findOne({ operationId: client.operationId });
    await events.updateOne({ _id: found!._id }, { $set: { 'data.name': 'another' } });
    await world.api.post('/v1/checkpoints', { operationId: client.operationId });
    const [item, ...others] = await of(client);
    expect(others).toEqual([]);
    expect(item).toMatchObject({ kind: 'chain-unverified', severity: 'critical', subject: { id: client.operationId } });
    expect(await applyFix(world.api, item!.fix!)).toBe(200);
    expect(await of(client)).toHaveLength(1);
    await events.updateOne({ _id: found!._id }, { $set: { data: found!.data } });
    expect(await applyFix(world.api, item!.fix!)).toBe(200);
    expect(await of(client)).toEqual([]);
  });

  /** A job that failed for good. */
  async function failJob(): Promise<void> {
    const { redis } = loadConfig({ MONGODB_URI: database.uri, REDIS_URL: database.redisUrl });
    const prefix = await database.redisPrefix();
    const [forQueue, forWorker] = [0, 1].map(() =>
      connectRedis(redis, { enableOfflineQueue: true, maxRetriesPerRequest: null }),
    );
    const queue = new Queue('token-purge', { prefix, connection: forQueue! });
    const worker = new Worker('token-purge', () => Promise.reject(new Error('no')), { prefix, connection: forWorker! });
    const job = await queue.add('token-purge', {}, { jobId: unique('job'), attempts: 1 });
    await eventually(() => job.isFailed());
    await worker.close();
    await queue.close();
    for (const connection of [forQueue!, forWorker!]) connection.disconnect();
  }

  it('has a fix for each item that works as it is delivered, after which the item is gone', async () => {
    const clients = [
      await world.client({ ...IPS, expiresAt: inDays(5) }),
      await governed({ policy: { maxSecretAgeDays: 90 } }, IPS),
      await governed({ policy: { requireOwner: true, requireExpiry: true, maxCredentialDays: 40 } }, IPS),
      await governed({ requireAllowedIps: true, policy: { widestIpv4Prefix: 24 } }, {}),
      await governed({ policy: { widestIpv4Prefix: 24 } }, { allowedIps: ['10.0.0.0/8'] }),
      await world.client(IPS),
      await world.client(IPS),
      await world.client(IPS),
      await world.client(),
    ] as const;
    await useApi(clients[6], world.keys[0]);
    for (const client of [clients[6], clients[7]]) await makeOlder(database, client, 91);
    await world.api.post(`${pathOf(clients[0])}/rotate-secret`, { overlapSeconds: 86_400 });
    await world.tokenOf(clients[0]);
    await makeSecretsOlder(world, clients[1], 85);
    const tooOld = await world.client(IPS);
    await makeSecretsOlder(world, tooOld, 50);
    await world.api.patch(`/v1/operations/${tooOld.operationId}`, { policy: { maxSecretAgeDays: 30 }, enforce: 'new' });
    await makeOlder(database, clients[5], 10);
    await refused(clients[5], 'address', [[2, 20]]);
    await refused(clients[5], 'token-limit', [[2, 20]]);
    await failJob();

    const applied: string[] = [];
    const key = ({ kind, subject, fix }: AttentionBody): string =>
      `${kind} ${subject.id} ${fix?.path} ${Object.keys(fix?.body ?? {}).join()}`;
    for (let times = 0; times < 60; times += 1) {
      const items = await attention(world.api);
      const item = items.find(({ fix }) => fix !== null);
      if (item === undefined) break;
      applied.push(item.kind);
      const status = await applyFix(world.api, item.fix!);
      expect(`${key(item)}: ${status}`).toMatch(/: 20[04]$/);
      expect((await attention(world.api)).map(key)).not.toContain(key(item));
    }
    expect([...new Set(applied)].sort()).toEqual([
      'apis-unused',
      'credential-expiring',
      'credential-unused',
      'job-failed',
      'policy-violated',
      'refusals-rising',
      'rotation-ending-in-use',
      'secret-expiring',
      'unrestricted-ips',
    ]);
    expect((await attention(world.api)).map(({ kind }) => kind)).toEqual(['signing-key-missing']);
  });

  it('refuses a fix that was judged by an older version', async () => {
    const client = await world.client({ ...IPS, expiresAt: inDays(5) });
    const [item] = await of(client);
    await world.api.patch(pathOf(client), { description: 'changed' });
    expect(await applyFix(world.api, item!.fix!)).toBe(412);
  });

  it('pages without repeating or missing an item, and refuses a cursor of other filters', async () => {
    const { id } = await anOperation(world.api);
    for (let n = 0; n < 4; n += 1) await aCredential(world.api, id, { expiresAt: inDays(5) });
    const all = await attention(world.api);
    const paged: AttentionBody[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body }: Answer<PageBody<AttentionBody>> = await world.api.get(`/v1/attention?limit=2${query}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      paged.push(...body.items);
      if (body.nextCursor !== null)
        expect((await world.api.get(`/v1/attention?kind=apis-unused&cursor=${body.nextCursor}`)).status).toBe(400);
      cursor = body.nextCursor;
    }
    const keys = (items: readonly AttentionBody[]): string[] =>
      items.map(({ kind, subject }) => `${kind} ${subject.id}`);
    expect(keys(paged)).toEqual(keys(all));
    expect(keys(all).length).toBeGreaterThanOrEqual(9);
  });

  it('shows an operation-admin and an auditor of one operation that operation only', async () => {
    const client = await world.client();
    await world.client();
    const own = client.operationId;
    const kindsOf = async (roles: readonly string[], audited?: readonly string[]): Promise<(string | null)[]> => {
      const user = await aUser(world.api, roles, roles.includes('operation-admin') ? [own] : []);
      if (audited !== undefined) await world.api.patch(`/v1/users/${user.id}`, { auditedOperationIds: audited });
      const api = world.api.as(user);
      const foreign = await world.api.post<OperationBody>('/v1/operations', { name: unique('operation') });
      if (audited !== undefined || roles.includes('operation-admin'))
        expect((await api.get(`/v1/attention?operationId=${foreign.body.id}`)).status).toBe(404);
      return [...new Set((await attention(api)).map(({ operationId }) => operationId))];
    };
    expect(await kindsOf(['operation-admin'])).toEqual([own]);
    expect(await kindsOf(['auditor'], [own])).toEqual([own]);
    expect(await kindsOf(['auditor'])).toEqual(expect.arrayContaining([null, own]));
    expect((await world.api.get('/v1/attention?operationId=op_unknown')).status).toBe(404);
  });
});

describe('GET /v1/attention of a new deployment', () => {
  it('says that unused APIs are not known yet, and from when on', async () => {
    const world = await OAuthWorld.start();
    try {
      const client = await world.client(IPS);
      await makeOlder(world.service.database, client, 200);
      await world.tokenOf(client);
      await eventually(async () => {
        const { body } = await world.api.get<{ unchecked: { kind: string; detail: string }[] }>('/v1/attention');
        return body.unchecked.some(({ kind, detail }) => kind === 'apis-unused' && detail.includes('from 20'));
      });
      expect(await attention(world.api, 'kind=apis-unused')).toEqual([]);
    } finally {
      await world.stop();
    }
  });
});
