import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Api, CredentialBody } from '../support/api.ts';
import { aResourceServer, aUser, anOperation, pathOf, unique } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';

interface LeakReport {
  readonly kind: string;
  readonly id: string | null;
  readonly belongsTo: Record<string, string | null> | null;
  readonly live: boolean;
  readonly blocked: string | null;
  readonly expiresAt: string | null;
  readonly revoked: boolean;
}

const UNKNOWN = { id: null, belongsTo: null, live: false, blocked: null, expiresAt: null, revoked: false };

describe('POST /v1/leaks', () => {
  let world: OAuthWorld;
  let client: CredentialBody;
  let token: string;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    client = await world.client({ owner: 'Billing', contact: 'billing@example.com' });
    token = await world.tokenOf(client);
  });

  const report = (text: string, revoke?: boolean, api: Api = world.api): Promise<Answer<LeakReport>> =>
    api.post<LeakReport>('/v1/leaks', { text, ...(revoke === undefined ? {} : { revoke }) });

  const owner = (): object => ({
    type: 'credential',
    id: client.id,
    name: client.name,
    operationId: client.operationId,
    owner: 'Billing',
    contact: 'billing@example.com',
  });

  async function aRobot(): Promise<{ id: string; apiKey: string; keyId: string; robot: string }> {
    const robot = unique('robot');
    const user = { username: robot, kind: 'service', roles: ['auditor'] };
    const { id } = (await world.api.post<{ id: string }>('/v1/users', user)).body;
    const path = `/v1/users/${id}/keys`;
    const { body } = await world.api.post<{ id: string; apiKey: string }>(path, { name: 'CI' });
    return { id, apiKey: body.apiKey, keyId: body.id, robot };
  }

  async function aSession(): Promise<{ api: Api; text: string; person: { id: string; username: string } }> {
    const person = await aUser(world.api, ['auditor']);
    const api = await world.api.inSession(person);
    return { api, text: api.headers['cookie']!.split('=')[1]!, person };
  }

  describe('without revoke', () => {
    it('tells whose a client secret is and leaves it live', async () => {
      const { status, body } = await report(`  ${client.clientSecret}\n`);
      expect([status, body]).toEqual([
        200,
        {
          ...UNKNOWN,
          kind: 'client-secret',
          id: client.secrets[0]!.id,
          belongsTo: owner(),
          live: true,
        },
      ]);
      expect((await world.api.token(client)).status).toBe(200);
    });

    it('tells whose an access token is, and still after the token has ended', async () => {
      expect((await report(token)).body).toMatchObject({ kind: 'access-token', belongsTo: owner(), live: true });
      await world.api.revoke(client, token);
      expect((await report(token)).body).toEqual({ ...UNKNOWN, kind: 'access-token', belongsTo: owner() });
    });

    it('tells whose a resource-server secret, an API key and a session cookie are', async () => {
      const server = await aResourceServer(world.api, world.keys);
      expect((await report(server.password)).body).toMatchObject({
        kind: 'resource-server-secret',
        belongsTo: { type: 'resource-server', id: server.id, operationId: null, owner: null },
        live: true,
      });
      const { id, apiKey, keyId, robot } = await aRobot();
      expect((await report(apiKey)).body).toMatchObject({
        kind: 'api-key',
        id: keyId,
        belongsTo: { type: 'user', id, name: robot, operationId: null },
        live: true,
      });
      const { text, person } = await aSession();
      expect((await report(text)).body).toMatchObject({
        kind: 'session-cookie',
        belongsTo: { type: 'user', id: person.id, name: person.username },
        live: true,
      });
    });

    it('is none for what has no prefix, another length or a wrong checksum', async () => {
      const wrong = `${client.clientSecret.slice(0, -1)}${client.clientSecret.endsWith('A') ? 'B' : 'A'}`;
      for (const text of [wrong, client.clientId, 'hunter2', `x${client.clientSecret}`, 'lk_cs_', '\u0000', '🔑']) {
        expect([text, (await report(text)).body]).toEqual([text, { ...UNKNOWN, kind: 'none' }]);
      }
    });

    it('says why something live cannot be used at the moment', async () => {
      await world.api.patch(pathOf(client), { status: 'disabled' });
      const disabled = { live: true, blocked: 'disabled' };
      expect((await report(client.clientSecret)).body).toMatchObject(disabled);
      expect((await report(token)).body).toMatchObject(disabled);
      await world.api.patch(`/v1/operations/${client.operationId}`, { status: 'suspended' });
      expect((await report(token)).body).toMatchObject({ live: true, blocked: 'suspended' });
    });

    it('writes no event', async () => {
      const before = (await world.api.events({ operationId: client.operationId })).length;
      await report(client.clientSecret);
      await report(token);
      expect(await world.api.events({ operationId: client.operationId })).toHaveLength(before);
    });
  });

  describe('with revoke', () => {
    it('ends a client secret and every token on every instance, in one transaction with its events', async () => {
      const { body } = await report(client.clientSecret, true);
      expect(body).toMatchObject({ kind: 'client-secret', live: false, revoked: true });
      for (const [instance, api] of world.apis.entries()) {
        expect((await api.token(client)).status).toBe(401);
        expect(await world.isActive(token, { instance })).toBe(false);
      }
      const events = await world.api.events({ subject: client.id });
      const [revoked, ended] = [
        events.find(({ type }) => type === 'credential.secret-revoked.v1')!,
        events.find(({ type }) => type === 'token.revoked.v1')!,
      ];
      expect(revoked.data).toEqual({ secretId: client.secrets[0]!.id, remainingSecretId: null });
      expect(ended.data).toMatchObject({ count: 1, reason: 'compromised' });
      expect(ended.requestId).toBe(revoked.requestId);
      // it is recognized when it is found again, and there is nothing left to end
      expect((await report(client.clientSecret, true)).body).toMatchObject({
        belongsTo: owner(),
        live: false,
        revoked: false,
      });
    });

    it('leaves the other secret live, and a credential without a secret gets one by rotation', async () => {
      const rotated = await world.api.post(`${pathOf(client)}/rotate-secret`, { overlapSeconds: 600 });
      const next = { ...client, clientSecret: rotated.body['clientSecret'] as string };
      await report(client.clientSecret, true);
      expect((await world.api.token(client)).status).toBe(401);
      expect((await world.api.token(next)).status).toBe(200);
      await report(next.clientSecret, true);
      expect((await world.api.get<CredentialBody>(pathOf(client))).body.secrets).toEqual([]);
      const last = await world.api.post(`${pathOf(client)}/rotate-secret`, {});
      expect(last.status).toBe(200);
      const clientSecret = last.body['clientSecret'] as string;
      expect((await world.apis[1]!.token({ ...client, clientSecret })).status).toBe(200);
    });

    it('ends one access token and leaves the others', async () => {
      const other = await world.tokenOf(client);
      expect((await report(token, true)).body).toMatchObject({ live: false, revoked: true });
      expect(await world.isActive(token, { instance: 1 })).toBe(false);
      expect(await world.isActive(other, { instance: 1 })).toBe(true);
      const [event] = await world.api.events({ subject: client.id, type: 'token.revoked.v1' });
      expect(event!.data).toMatchObject({ count: 1, reason: 'compromised' });
    });

    it('ends a resource-server secret, an API key and a session', async () => {
      const server = await aResourceServer(world.api, world.keys);
      await report(server.password, true);
      expect((await world.apis[1]!.introspect(server, token)).status).toBe(401);
      expect((await world.api.events({ subject: server.id }))[0]!.type).toBe('resource-server.secret-revoked.v1');

      const { id, apiKey } = await aRobot();
      expect((await report(apiKey, true)).body).toMatchObject({ revoked: true });
      expect((await world.apis[1]!.as({ bearer: apiKey }).get('/v1/me')).status).toBe(401);
      const [deleted] = await world.api.events({ subject: id });
      expect([deleted!.type, deleted!.data]).toEqual(['api-key.deleted.v1', expect.objectContaining({ leaked: true })]);

      const { api, text, person } = await aSession();
      expect((await report(text, true)).body).toMatchObject({ revoked: true });
      expect((await api.get('/v1/me')).status).toBe(401);
      const [ended] = await world.api.events({ subject: person.id, type: 'sessions.ended.v1' });
      expect(ended!.data).toMatchObject({ reason: 'leaked' });
    });

    it('ends it once when it is reported many times at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => report(client.clientSecret, true, world.apis[at % 2])),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
      expect(answers.filter(({ body }) => body.revoked)).toHaveLength(1);
      expect(await world.api.events({ subject: client.id, type: 'credential.secret-revoked.v1' })).toHaveLength(1);
    });
  });

  describe('who may call it', () => {
    it('an operation-admin learns of its own operations only, and may end what it finds there', async () => {
      const admin = world.api.as(await aUser(world.api, ['operation-admin'], [client.operationId]));
      const foreign = world.api.as(await aUser(world.api, ['operation-admin'], [(await anOperation(world.api)).id]));
      const { apiKey } = await aRobot();
      const server = await aResourceServer(world.api, world.keys);
      for (const [text, kind] of [
        [client.clientSecret, 'client-secret'],
        [token, 'access-token'],
      ] as const) {
        expect((await report(text, true, foreign)).body).toEqual({ ...UNKNOWN, kind });
      }
      for (const [text, kind] of [
        [apiKey, 'api-key'],
        [server.password, 'resource-server-secret'],
      ] as const) {
        expect((await report(text, true, admin)).body).toEqual({ ...UNKNOWN, kind });
      }
      expect(await world.isActive(token)).toBe(true);
      expect((await world.api.as({ bearer: apiKey }).get('/v1/me')).status).toBe(200);
      expect((await report(client.clientSecret, true, admin)).body).toMatchObject({ revoked: true });
    });

    it('an auditor may ask, also by an API key, and never end anything', async () => {
      const { apiKey } = await aRobot();
      const auditor = world.api.as({ bearer: apiKey });
      expect((await report(client.clientSecret, false, auditor)).body).toMatchObject({ live: true });
      for (const text of [client.clientSecret, 'nothing']) {
        expect((await report(text, true, auditor)).status).toBe(403);
      }
      const narrow = { ...(await aUser(world.api, ['auditor'])) };
      await world.api.patch(`/v1/users/${narrow.id}`, { auditedOperationIds: [(await anOperation(world.api)).id] });
      expect((await report(client.clientSecret, false, world.api.as(narrow))).body).toEqual({
        ...UNKNOWN,
        kind: 'client-secret',
      });
      expect((await world.api.token(client)).status).toBe(200);
    });

    it('refuses to end what one may see and not manage', async () => {
      const { id: own } = await anOperation(world.api);
      const both = world.api.as(await aUser(world.api, ['operation-admin', 'auditor'], [own]));
      expect((await report(client.clientSecret, true, both)).status).toBe(403);
      expect((await world.api.token(client)).status).toBe(200);
    });
  });

  it('refuses a body that is not one text', async () => {
    for (const body of [
      {},
      { text: '' },
      { text: '  ' },
      { text: ['a'] },
      { text: 'x'.repeat(5000) },
      { text: null },
    ]) {
      expect([body, (await world.api.post('/v1/leaks', body)).status]).toEqual([body, 400]);
    }
    expect((await world.api.post('/v1/leaks', { text: 'a', revoke: 'yes' })).status).toBe(400);
    const { text } = await world.api.post('/v1/leaks', { text: client.clientSecret, also: client.clientSecret });
    expect(text).not.toContain(client.clientSecret);
  });
});
