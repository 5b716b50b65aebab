import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Api, CredentialBody, EventBody, ProblemBody } from '../support/api.ts';
import { aResourceServer, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import type { OpenApiDocument } from '../support/openapi-contract.ts';
import { OpenApiContract } from '../support/openapi-contract.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { PatientApi } from '../support/patient-api.ts';
import { eventually } from '../support/service.ts';
import { storedState } from '../support/stored-state.ts';

type Change = Pick<EventBody, 'type' | 'subject' | 'data'>;

interface DryRunBody {
  readonly dryRun: true;
  readonly changes: readonly Change[];
  readonly affected: {
    readonly since: string;
    readonly liveTokens: number;
    readonly lastUsedAt: string | null;
    readonly addresses: readonly { readonly address: string; readonly count: number }[];
    readonly apis: readonly { readonly api: string; readonly count: number }[];
    readonly secrets: readonly { readonly secretId: string; readonly count: number }[];
  };
}

/** A call that takes `dryRun`. */
interface Write {
  readonly method: 'PATCH' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

interface Things {
  readonly credential: CredentialBody;
  readonly api: string;
  readonly secretId: string;
  readonly tokenId: string;
}

const CREDENTIAL = '/v1/operations/{operationId}/credentials/{credentialId}';
const OPERATION = '/v1/operations/{operationId}';

/** Every call with a dry run, by its place in the OpenAPI document: one that takes something away. */
const WRITES: Readonly<Record<string, (things: Things) => Write>> = {
  [`PATCH ${CREDENTIAL}`]: ({ credential }) => ({
    ...{ method: 'PATCH', path: pathOf(credential), body: { allowedIps: ['192.0.2.0/24'], name: unique('renamed') } },
  }),
  [`DELETE ${CREDENTIAL}`]: ({ credential }) => ({ method: 'DELETE', path: pathOf(credential) }),
  [`POST ${CREDENTIAL}/rotate-secret`]: ({ credential }) => ({
    ...{ method: 'POST', path: `${pathOf(credential)}/rotate-secret`, body: { compromised: true } },
  }),
  [`PUT ${CREDENTIAL}/apis`]: ({ credential, api }) => ({
    ...{ method: 'PUT', path: `${pathOf(credential)}/apis`, body: { apis: [api] } },
  }),
  [`PATCH ${CREDENTIAL}/apis`]: ({ credential, api }) => ({
    ...{ method: 'PATCH', path: `${pathOf(credential)}/apis`, body: { remove: [api] } },
  }),
  [`DELETE ${CREDENTIAL}/apis`]: ({ credential }) => ({ method: 'DELETE', path: `${pathOf(credential)}/apis` }),
  [`DELETE ${CREDENTIAL}/secrets/{secretId}`]: ({ credential, secretId }) => ({
    ...{ method: 'DELETE', path: `${pathOf(credential)}/secrets/${secretId}` },
  }),
  [`DELETE ${CREDENTIAL}/tokens`]: ({ credential }) => ({ method: 'DELETE', path: `${pathOf(credential)}/tokens` }),
  [`DELETE ${CREDENTIAL}/tokens/{tokenId}`]: ({ credential, tokenId }) => ({
    ...{ method: 'DELETE', path: `${pathOf(credential)}/tokens/${tokenId}` },
  }),
  [`PATCH ${OPERATION}`]: ({ credential: { operationId } }) => ({
    ...{ method: 'PATCH', path: `/v1/operations/${operationId}`, body: { status: 'suspended' } },
  }),
  [`PUT ${OPERATION}/apis`]: ({ credential: { operationId }, api }) => ({
    ...{ method: 'PUT', path: `/v1/operations/${operationId}/apis`, body: { mode: 'listed', apis: [api] } },
  }),
  [`PATCH ${OPERATION}/apis`]: ({ credential: { operationId }, api }) => ({
    ...{ method: 'PATCH', path: `/v1/operations/${operationId}/apis`, body: { remove: [api] } },
  }),
  'DELETE /v1/apis/{apiKey}': ({ api }) => ({ method: 'DELETE', path: `/v1/apis/${api}?force=true` }),
};
const ENDS_TOKENS = /\/tokens(\/|$)/;
const NEEDS_NO_IF_MATCH = /\/tokens(\/|$)|\/rotate-secret$/;

describe('?dryRun=true', () => {
  let world: OAuthWorld;
  let admin: Api;
  let contract: OpenApiContract;

  beforeAll(async () => {
    world = await OAuthWorld.start(1, { env: { TRUSTED_PROXIES: '127.0.0.1/32', LATCHKEY_LEASE_MS: '0' } });
    admin = new PatientApi(world.url);
    contract = new OpenApiContract((await admin.get<OpenApiDocument>('/openapi.json')).body);
    // noted once, some seconds after the start
    const settings = await world.service.database.collection<{ _id: string }>('settings');
    await eventually(async () => (await settings.countDocuments({ _id: 'usage-recorded-since' })) === 1);
  });
  afterAll(() => world.stop());

  /** A credential with two secrets, a token, and an API that nothing else has but a resource server. */
  async function things(): Promise<Things> {
    const { id: operationId } = await anOperation(admin);
    const { key: api } = await anApi(admin);
    await aResourceServer(admin, [api]);
    const apis = [api, world.keys[0]];
    expect((await admin.put(`/v1/operations/${operationId}/apis`, { mode: 'listed', apis })).status).toBe(200);
    const path = `/v1/operations/${operationId}/credentials`;
    const { body: credential } = await admin.post<CredentialBody>(path, { name: unique('credential'), apis });
    const { body: rotated } = await admin.post<CredentialBody>(`${pathOf(credential)}/rotate-secret`, {
      overlapSeconds: 3_600,
    });
    expect((await admin.token(credential)).status).toBe(200);
    const { body: tokens } = await admin.get<{ items: { id: string }[] }>(`${pathOf(credential)}/tokens`);
    return { credential, api, secretId: rotated.secrets[1]!.id, tokenId: tokens.items[0]!.id };
  }

  const real = <T>(write: Write, ifMatch = '*', by = admin): Promise<Answer<T>> =>
    by.call<T>(write.method, write.path, {
      ...(write.body === undefined ? {} : { body: write.body }),
      ...(ifMatch === '' ? {} : { ifMatch }),
    });
  const tried = (write: Write, ifMatch = '*', by = admin): Promise<Answer<DryRunBody>> =>
    real<DryRunBody>(asDryRun(write), ifMatch, by);

  /** Read from the store: reading by the API is an event too. */
  async function storedEvents(): Promise<Pick<EventBody, 'id' | 'type' | 'subject' | 'data'>[]> {
    const events = await world.service.database.collection<EventBody & { _id: string }>('events');
    return (await events.find().toArray()).map(({ _id: id, type, subject, data }) => ({ id, type, subject, data }));
  }

  async function eventsSince(known: readonly { readonly id: string }[]): Promise<Change[]> {
    const ids = new Set(known.map(({ id }) => id));
    // the purge is the work of a worker, some time later
    return (await storedEvents()).filter(({ id, type }) => !ids.has(id) && type !== 'tokens.purged.v1');
  }

  async function countedEvents(): Promise<readonly string[]> {
    const metrics = await (await fetch(`${world.url}/metrics`)).text();
    return metrics.split('\n').filter((line) => line.startsWith('latchkey_events_total'));
  }

  it('is offered by these calls, and by no other', () => {
    const offered = contract.operations
      .filter(({ operation }) => operation.parameters?.some(({ name }) => name === 'dryRun'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(offered.sort()).toEqual(Object.keys(WRITES).sort());
  });

  describe.each(Object.entries(WRITES))('%s', (place, writeOf) => {
    it('stores nothing, and names the events that the real call then writes', async () => {
      const write = writeOf(await things());
      const before = await storedState(world.service.database);
      const events = await storedEvents();
      const counted = await countedEvents();
      const dryRun = await tried(write);
      expect({ status: dryRun.status, text: dryRun.text, etag: dryRun.etag }).toMatchObject({ status: 200, etag: '' });
      const placed = contract.operations.find(({ method, path }) => `${method} ${path}` === place)!;
      const contentType = dryRun.headers.get('content-type');
      expect(contract.fault(placed, { ...dryRun, contentType })).toBeUndefined();
      expect(dryRun.text).not.toMatch(/lk_(?:cs|at)_/);
      expect(await storedState(world.service.database)).toEqual(before);
      expect(await countedEvents()).toEqual(counted);
      expect((await real(write)).status).toBeLessThan(300);
      expect(dryRun.body.changes.length).toBeGreaterThan(0);
      expect(comparable(dryRun.body.changes)).toEqual(comparable(await eventsSince(events)));
    });

    it('is refused like the real call: by sign-in, role, id and If-Match', async () => {
      const write = writeOf(await things());
      const auditor = admin.as(await aUser(admin, ['auditor']));
      const strangerOf = { ...write, path: write.path.replace(/(op|cr)_[0-9a-f]+|api-[0-9a-f]+/, '$1_none') };
      const refusals: readonly (readonly [number, Write, string, Api])[] = [
        [401, write, '*', admin.as(null)],
        [403, write, '*', auditor],
        [404, strangerOf, '*', admin],
        ...(NEEDS_NO_IF_MATCH.test(write.path) ? [] : [[428, write, '', admin] as const]),
        ...(ENDS_TOKENS.test(write.path) ? [] : [[412, write, '"v999"', admin] as const]),
      ];
      for (const [status, refused, ifMatch, by] of refusals) {
        const dryRun = await tried(refused, ifMatch, by);
        expect(dryRun.status).toBe(status);
        expect(problemOf(dryRun)).toEqual(problemOf(await real(refused, ifMatch, by)));
      }
    });
  });

  it('is refused like the real call: by the rules', async () => {
    const { credential, api, tokenId } = await things();
    const path = pathOf(credential);
    const operation = `/v1/operations/${credential.operationId}`;
    const { key: foreign } = await anApi(admin);
    const { body: other } = await admin.post<CredentialBody>(`${operation}/credentials`, { name: unique('other') });
    const unlisted = (await anOperation(admin)).id;
    const refusals: readonly (readonly [string, number, Write])[] = [
      ['name-taken', 409, { method: 'PATCH', path, body: { name: other.name } }],
      ['unknown-api', 400, { method: 'PATCH', path, body: { apis: ['none'] } }],
      ['api-not-entitled', 403, { method: 'PUT', path: `${path}/apis`, body: { apis: [foreign] } }],
      ['unknown-api', 400, { method: 'PATCH', path: `${path}/apis`, body: { remove: ['none'] } }],
      ['validation', 400, { method: 'PATCH', path, body: { allowedIps: ['10.0.0.5/8'], apis: ['none'] } }],
      ['rotation-in-progress', 409, { method: 'POST', path: `${path}/rotate-secret`, body: {} }],
      ['last-secret', 409, { method: 'DELETE', path: `${pathOf(other)}/secrets/${other.secrets[0]!.id}` }],
      ['not-found', 404, { method: 'DELETE', path: `${path}/tokens/${tokenId}x` }],
      ['policy-violated', 409, { method: 'PATCH', path: operation, body: { policy: { requireOwner: true } } }],
      ['apis-not-listed', 409, { method: 'PATCH', path: `/v1/operations/${unlisted}/apis`, body: { remove: [api] } }],
      ['api-in-use', 409, { method: 'DELETE', path: `/v1/apis/${api}` }],
    ];
    for (const [code, status, write] of refusals) {
      const dryRun = await tried(write);
      expect({ ...problemOf(dryRun), status: dryRun.status }).toMatchObject({
        ...{ type: `urn:latchkey:problem:${code}`, status },
      });
      expect(problemOf(dryRun)).toEqual(problemOf(await real(write)));
    }
  });

  it('of the deletion of an unused API changes nothing either', async () => {
    const { key } = await anApi(admin);
    const before = await storedState(world.service.database);
    const { body } = await tried({ method: 'DELETE', path: `/v1/apis/${key}` });
    expect(body).toMatchObject({
      changes: [{ type: 'api.deleted.v1' }],
      affected: { addresses: [], lastUsedAt: null },
    });
    expect(await storedState(world.service.database)).toEqual(before);
  });

  it('does not use up an Idempotency-Key', async () => {
    const { credential } = await things();
    const path = `${pathOf(credential)}/rotate-secret`;
    const rotate = (query: string): Promise<Answer<CredentialBody>> =>
      admin.post<CredentialBody>(`${path}${query}`, { compromised: true }, { idempotencyKey: unique('key') });
    expect((await rotate('?dryRun=true')).status).toBe(200);
    expect((await rotate('')).body.clientSecret).toMatch(/^lk_cs_/);
    const wrong = await admin.post(`${path}?dryRun=true`, {}, { idempotencyKey: 'ü'.repeat(2) }).catch(() => undefined);
    expect(wrong?.status ?? 400).toBe(400);
  });

  it('with false, or without the parameter, is the real call', async () => {
    const { credential } = await things();
    const { status, text } = await admin.patch(`${pathOf(credential)}?dryRun=false`, { description: 'changed' });
    expect({ status, text }).toMatchObject({ status: 200, text: expect.stringContaining('"changed"') as unknown });
    expect((await admin.get<CredentialBody>(pathOf(credential))).body.description).toBe('changed');
  });

  it.each(['dryRun=TRUE', 'dryRun=1', 'dryRun=', 'dryRun', 'dryRun=true&dryRun=true', 'dryrun=true', 'dryRun[]=true'])(
    'refuses ?%s, so that a mistyped dry run takes nothing away',
    async (query) => {
      const { credential } = await things();
      const answer = await admin.delete<ProblemBody>(`${pathOf(credential)}?${query}`);
      expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 400 });
      expect((await admin.get(pathOf(credential))).status).toBe(200);
    },
  );

  it('is refused by every other write, with a sentence that says so', async () => {
    const others = contract.operations.filter(
      ({ method, path }) => method !== 'GET' && path.startsWith('/v1/') && !(`${method} ${path}` in WRITES),
    );
    expect(others.length).toBeGreaterThan(15);
    for (const { method, path } of others) {
      const target = path.replace('{queue}', 'token-purge').replaceAll(/\{\w+\}/g, 'none');
      const { status, body } = await admin.call<ProblemBody>(method, `${target}?dryRun=true`, { body: {} });
      const message = 'This call has no dry run. Nothing was changed; remove the parameter to make the change.';
      expect({ method, path, status, errors: body.errors }).toEqual({
        ...{ method, path, status: 400, errors: [{ pointer: '/query/dryRun', code: 'unknown-member', message }] },
      });
    }
  });

  it('is refused at the client’s own calls, whose tokens stay live', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    const self = admin.as({ username: client.clientId, password: client.clientSecret });
    expect((await self.delete('/oauth2/tokens?dryRun=true')).status).toBe(400);
    expect(await world.isActive(token)).toBe(true);
  });

  it('leaves tokens and sign-ins as they are, and the credential can be changed meanwhile', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    const write: Write = { method: 'DELETE', path: pathOf(client) };
    const [, , edited] = await Promise.all([
      tried(write),
      tried(write),
      admin.patch<CredentialBody>(pathOf(client), { description: 'meanwhile' }),
    ]);
    expect(edited.body.description).toBe('meanwhile');
    expect(await world.isActive(token)).toBe(true);
    expect((await admin.token(client)).status).toBe(200);
  });
});

/** The same call as a dry run. */
function asDryRun({ path, ...rest }: Write): Write {
  return { ...rest, path: `${path}${path.includes('?') ? '&' : '?'}dryRun=true` };
}

/** What a refusal says, apart from its request id. */
function problemOf({ status, body }: Answer<unknown>): object {
  const { instance: _requestId, ...rest } = body as ProblemBody;
  return { ...rest, status };
}

/** Changes or events in one order, without ids and times that are new in each call. */
function comparable(changes: readonly Change[]): object[] {
  return changes
    .map(({ type, subject, data }) => {
      const { secretId: _new, previousEndsAt: _time, ...rest } = data;
      return { type, subject, data: type.startsWith('credential.secret-rotated') ? rest : data };
    })
    .sort((a, b) => `${a.type} ${a.subject.id}`.localeCompare(`${b.type} ${b.subject.id}`));
}
