import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { basic } from '../support/api.ts';
import type { Answer, Api, CredentialBody, EventBody } from '../support/api.ts';
import { aCredential, aResourceServer, aUser, anApi, anOperation, pathOf } from '../support/builders.ts';
import { PatientApi } from '../support/patient-api.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface Simulation {
  readonly allowed: boolean;
  readonly reason: string | null;
  readonly checks: readonly { readonly rule: string; readonly passed: boolean; readonly detail: string }[];
  readonly at: string;
  readonly events:
    readonly { readonly rule: string; readonly id: string; readonly seq: number; readonly hash: string }[] | null;
}

/** Worlds to try; each costs a dozen changes. */
const RUNS = 40;
const TIME_LIMIT_MS = 600_000;

let service: Service;
let admin: Api;
let apis: string[];
let gateway: { id: string; username: string; password: string };

beforeAll(async () => {
  // a trusted proxy lets the test choose the address; without a lease, changes are answered at once
  service = await startService({ env: { TRUSTED_PROXIES: '127.0.0.1/32', LATCHKEY_LEASE_MS: '0' } });
  admin = new PatientApi(service.url);
  apis = [(await anApi(admin)).key, (await anApi(admin)).key, (await anApi(admin)).key];
  gateway = await aResourceServer(admin, apis);
});
afterAll(() => service.discard());

const simulate = (path: string, body: object): Promise<Answer<Simulation>> =>
  admin.post<Simulation>(`${path}/simulate`, body);

/** What a real token request answers. */
async function token(credential: CredentialBody, secret: string, api: string, ip: string): Promise<Answer> {
  return admin.as({ username: credential.clientId, password: secret }).call('POST', '/oauth2/token', {
    raw: new URLSearchParams({ grant_type: 'client_credentials', scope: api }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': ip },
  });
}

async function forwardAuth(text: string, api: string, ip: string): Promise<number> {
  const headers = {
    ...{
      authorization: `Bearer ${text}`,
      'x-forward-auth-authorization': basic(gateway),
      'x-forwarded-for': '192.0.2.250',
    },
    'x-forward-auth-client-ip': ip,
  };
  return (await admin.as(null).get(`/oauth2/forward-auth?api=${api}`, { headers })).status;
}

const ADDRESSES = ['192.0.2.7', '198.51.100.9', '2001:db8::5', '::ffff:192.0.2.7', '203.0.113.200'];
const RANGES = ['192.0.2.0/24', '198.51.100.9', '2001:db8::/32', '203.0.113.128/25'];

/** Things that happen to a credential and its operation, one after the other. */
const deeds = [
  'disable',
  'enable',
  'suspend',
  'resume',
  'expire',
  'rotate',
  'compromise',
  'add',
  'remove',
  'ceiling',
  'fill',
  'narrow',
  'age',
] as const;
const world = fc.record({
  apis: fc.subarray([0, 1, 2]),
  allowedIps: fc.subarray(RANGES),
  policy: fc.constantFrom('reject', 'evict_oldest'),
  deeds: fc.array(fc.record({ deed: fc.constantFrom(...deeds), which: fc.nat(20) }), { maxLength: 5 }),
  questions: fc.array(fc.record({ ip: fc.constantFrom(...ADDRESSES), api: fc.nat(2) }), { minLength: 2, maxLength: 3 }),
});

describe('POST …/credentials/{id}/simulate', () => {
  it(
    'says what the next real request is answered, for random credentials, addresses, APIs and states',
    async () => {
      const seen = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(world, async (given) => {
          const { id: operationId } = await anOperation(admin);
          const operation = `/v1/operations/${operationId}`;
          const credential = await aCredential(admin, operationId, {
            apis: given.apis.map((at) => apis[at]),
            allowedIps: given.allowedIps,
            tokenLimitPolicy: given.policy,
          });
          const path = pathOf(credential);
          let secret = credential.clientSecret;
          let issued: string | undefined;
          const fill = async (): Promise<void> => {
            const [api] = (await admin.get<CredentialBody>(path)).body.apis;
            for (let n = 0; n < 10; n += 1) {
              const { status, body } = await token(credential, secret, api ?? apis[0]!, '192.0.2.7');
              if (status === 200) issued = body['access_token'] as string;
            }
          };
          for (const { deed, which } of given.deeds) {
            if (deed === 'disable' || deed === 'enable') {
              await admin.patch(path, { status: deed === 'enable' ? 'active' : 'disabled' });
            } else if (deed === 'suspend' || deed === 'resume') {
              await admin.patch(operation, { status: deed === 'resume' ? 'active' : 'suspended' });
            } else if (deed === 'expire') {
              const expiresAt = new Date(Date.now() + 1_500);
              await admin.patch(path, { expiresAt: expiresAt.toISOString() });
              while (Date.now() < expiresAt.getTime() + 200) await new Promise((resolve) => setTimeout(resolve, 50));
            } else if (deed === 'rotate' || deed === 'compromise') {
              const { body } = await admin.post<CredentialBody>(`${path}/rotate-secret`, {
                compromised: deed === 'compromise',
                endOldest: true,
              });
              secret = body.clientSecret;
            } else if (deed === 'add' || deed === 'remove') {
              await admin.patch(`${path}/apis`, { [deed]: [apis[which % 3]] });
            } else if (deed === 'ceiling') {
              await admin.put(`${operation}/apis`, { mode: 'listed', apis: [apis[which % 3]] });
            } else if (deed === 'narrow') {
              await admin.patch(path, { allowedIps: [RANGES[which % 4]] });
            } else if (deed === 'age') {
              // all its secrets are older than a day
              const credentials = await service.database.collection<{ _id: string }>('credentials');
              const old = new Date(Date.now() - 3 * 86_400_000);
              await credentials.updateOne({ _id: credential.id }, { $set: { 'secrets.$[].createdAt': old } });
              await admin.patch(operation, {
                policy: { maxSecretAgeDays: 1 },
                enforce: which % 2 === 0 ? 'new' : undefined,
              });
            } else await fill();
          }
          for (const { ip, api } of given.questions) {
            const key = apis[api]!;
            const { status, body } = await simulate(path, { ip, api: key });
            expect(status).toBe(200);
            if (issued !== undefined) {
              // a token that it has is judged by the same rules except those for new tokens
              const used = await forwardAuth(issued, key, ip);
              const failed = body.checks.filter(({ passed }) => !passed).map(({ rule }) => rule);
              const stops = failed.filter((rule) => !['secret', 'token-limit'].includes(rule));
              if (stops.length > 0) expect({ stops, used: used === 204 }).toEqual({ stops, used: false });
            }
            const real = await token(credential, secret, key, ip);
            const question = { ip, key, reason: body.reason, checks: body.checks };
            expect({ ...question, real: real.status === 200 }).toEqual({ ...question, real: body.allowed });
            const expected: Readonly<Record<string, number>> = { scope: 400, 'token-limit': 429 };
            if (body.reason !== null) expect(real.status).toBe(expected[body.reason] ?? 401);
            seen.set(body.reason ?? 'allowed', (seen.get(body.reason ?? 'allowed') ?? 0) + 1);
          }
        }),
        { numRuns: RUNS },
      );
      expect([...seen.keys()]).toEqual(expect.arrayContaining(['allowed', 'address', 'scope']));
    },
    TIME_LIMIT_MS,
  );

  it('rebuilds a past moment from the log, with the events that decided', async () => {
    const { id: operationId } = await anOperation(admin);
    const before = new Date().toISOString();
    const credential = await aCredential(admin, operationId, { apis: [apis[0]], allowedIps: ['192.0.2.0/24'] });
    const path = pathOf(credential);
    const question = { ip: '192.0.2.7', api: apis[0]! };
    const moments: { at: string; now: Simulation }[] = [];
    const note = async (): Promise<void> => {
      const { body } = await simulate(path, question);
      moments.push({ at: body.at, now: body });
    };
    await note();
    for (const change of [
      () => admin.patch(path, { allowedIps: ['198.51.100.0/24'] }),
      () => admin.patch(path, { allowedIps: [], status: 'disabled' }),
      () => admin.patch(path, { status: 'active', apis: [apis[1]] }),
      () => admin.patch(path, { apis: [apis[0]] }),
      () => admin.patch(`/v1/operations/${operationId}`, { status: 'suspended' }),
      () => admin.patch(`/v1/operations/${operationId}`, { status: 'active' }),
      () => admin.post(`${path}/rotate-secret`, { compromised: true }),
      () => admin.patch(`/v1/operations/${operationId}`, { policy: { maxSecretAgeDays: 30 } }),
    ]) {
      expect((await change()).status).toBe(200);
      await note();
    }
    const client = { ...credential, clientSecret: '' };
    const rotated = await admin.post<CredentialBody>(`${path}/rotate-secret`, { compromised: true });
    for (let n = 0; n < 10; n += 1) await token(client, rotated.body.clientSecret, apis[0]!, '192.0.2.7');
    await note();
    expect(moments.at(-1)!.now.reason).toBe('token-limit');
    await admin.delete(path);
    for (const { at, now } of moments) {
      const { status, body } = await simulate(path, { ...question, at });
      expect({ at, status, reason: body.reason, checks: body.checks }).toEqual({
        ...{ at, status: 200, reason: now.reason, checks: now.checks },
      });
      const log = await admin.events({ operationId });
      const known = new Map(log.map((event) => [event.id, event as EventBody & { hash: string }]));
      for (const { id, seq, hash } of body.events!) expect(known.get(id)).toMatchObject({ seq, hash });
      expect(new Set(body.events!.map(({ rule }) => rule))).toEqual(
        new Set(['exists', 'secret', 'status', 'expiry', 'address', 'api', 'token-limit']),
      );
    }
    expect((await simulate(path, { ...question, at: before })).body).toMatchObject({
      ...{ allowed: false, reason: 'unknown-client' },
    });
    expect((await simulate(path, { ...question, at: new Date().toISOString() })).body.reason).toBe('unknown-client');
    expect((await simulate(path, question)).status).toBe(404);
  });

  it('refuses what is no address, no API key or no past moment, and writes no event', async () => {
    const { id: operationId } = await anOperation(admin);
    const path = pathOf(await aCredential(admin, operationId, { apis: [apis[0]] }));
    const question = { ip: '192.0.2.7', api: apis[0]! };
    const count = (await admin.events({ operationId })).length;
    expect((await simulate(path, question)).body.allowed).toBe(true);
    for (const wrong of [
      { ip: '010.0.0.1' },
      { ip: '192.0.2.0/24' },
      { api: '' },
      { api: { $ne: null } },
      { at: '2099-01-01T00:00:00Z' },
      { at: 'yesterday' },
      { x: 1 },
    ]) {
      expect({ wrong, status: (await simulate(path, { ...question, ...wrong })).status }).toEqual({
        wrong,
        status: 400,
      });
    }
    expect((await simulate(`${path}x`, { ...question, at: new Date().toISOString() })).status).toBe(404);
    const stranger = admin.as(await aUser(admin, ['auditor']));
    expect((await stranger.post(`${path}/simulate`, question)).status).toBe(200);
    expect((await admin.events({ operationId })).length).toBe(count);
  });

  it('says clearly when the log no longer reaches back', async () => {
    const { id: operationId } = await anOperation(admin);
    const path = pathOf(await aCredential(admin, operationId, { apis: [apis[0]] }));
    const at = new Date().toISOString();
    const { items } = (
      await admin.post<{ items: { id: string; seq: number; hash: string }[] }>('/v1/checkpoints', { operationId })
    ).body;
    const [{ id, seq, hash }] = items as [{ id: string; seq: number; hash: string }];
    const heads = await service.database.collection<{ _id: string }>('chain_heads');
    const archive = { throughSeq: seq, hash, checkpointId: id, file: 'f', sha256: 's', dropped: true };
    await heads.updateOne({ _id: operationId }, { $set: { archive } });
    const { status, body } = await simulate(path, { ip: '192.0.2.7', api: apis[0]!, at });
    expect({ status, body }).toMatchObject({ status: 410, body: { type: 'urn:latchkey:problem:before-retention' } });
  });
});
