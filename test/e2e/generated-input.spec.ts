import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Api, basic } from '../support/api.ts';
import { aCredential, aResourceServer, aUser, anApi, anOperation } from '../support/builders.ts';
import { OpenApiContract } from '../support/openapi-contract.ts';
import type { OpenApiDocument, Placed } from '../support/openapi-contract.ts';
import { InputGenerator, SIGN_INS } from '../support/openapi-input.ts';
import type { GeneratedRequest } from '../support/openapi-input.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

/** At least so many requests in all, spread evenly over the operations. */
const REQUESTS = 5_200;
const AT_ONCE = 16;
/** Far more than it takes: the machine may be busy with other tests. */
const TIME_LIMIT_MS = 600_000;
/** What exists is made anew after so many requests of an operation: some of them delete it. */
const WORLD_LASTS = 40;

/** Things that exist, by the names of the parameters and members that name them. */
type World = Readonly<Record<string, string>>;

const members = [
  'operationId',
  'credentialId',
  'secretId',
  'tokenId',
  'apiKey',
  'resourceServerId',
  'userId',
  'keyId',
  'sessionId',
  'eventId',
  'checkpointId',
  'jobId',
  'queue',
  'token',
];
const fill: Record<string, string> = Object.fromEntries(members.map((name) => [name, `{{${name}}}`]));
for (const [name, thing] of [
  ['apis', 'apiKey'],
  ['add', 'apiKey'],
  ['api', 'apiKey'],
  ['scope', 'apiKey'],
  ['operationIds', 'operationId'],
  ['id', 'resourceServerId'],
  ['text', 'token'],
  ['auditedOperationIds', 'operationId'],
]) {
  fill[name!] = `{{${thing!}}}`;
}

describe('generated input', () => {
  let service: Service;
  let api: Api;

  beforeAll(async () => {
    // the lease costs each change a quarter of a second, which is not what is looked at here
    service = await startService({ env: { LATCHKEY_LEASE_MS: '0' } });
    api = new Api(service.url);
  });
  afterAll(() => service.discard());

  async function makeWorld(): Promise<World> {
    const [{ id: operationId }, { key }] = await Promise.all([anOperation(api), anApi(api)]);
    const credential = await aCredential(api, operationId, { apis: [key], tokenLimitPolicy: 'evict_oldest' });
    const [server, user, issued] = await Promise.all([
      aResourceServer(api, [key]),
      aUser(api, ['auditor']),
      api.token(credential),
    ]);
    const tokens = await api.get<{ items: { id: string }[] }>(
      `/v1/operations/${operationId}/credentials/${credential.id}/tokens`,
    );
    const [event] = (await api.get<{ items: { id: string }[] }>('/v1/events?limit=1')).body.items;
    return {
      operationId,
      credentialId: credential.id,
      secretId: credential.secrets[0]!.id,
      tokenId: tokens.body.items[0]!.id,
      apiKey: key,
      resourceServerId: server.id,
      userId: user.id,
      eventId: event!.id,
      token: issued.body['access_token'] as string,
      queue: 'token-purge',
      client: basic({ username: credential.clientId, password: credential.clientSecret }),
      server: basic(server),
      person: basic(user),
    };
  }

  const filled = (text: string, world: World): string =>
    text.replaceAll(
      /\{\{(\w+)\}\}|%7B%7B(\w+)%7D%7D/g,
      (_, plain: string | undefined, encoded: string | undefined) => world[plain ?? encoded ?? ''] ?? 'none',
    );

  function authorization(placed: Placed, how: (typeof SIGN_INS)[number], world: World): string | undefined {
    if (how === 'none') return undefined;
    if (how === 'rubbish') return 'Basic %%%';
    if (how === 'wrong') return basic({ username: 'nobody', password: 'nothing at all' });
    // a password that is changed must not be the one that the rest of this test signs in with
    if (placed.path === '/v1/me/password') return world['person'];
    if (placed.path.startsWith('/v1/')) return basic(ADMIN);
    if (placed.path === '/oauth2/forward-auth') return `Bearer ${world['token'] ?? ''}`;
    return placed.path === '/oauth2/introspect' ? world['server'] : world['client'];
  }

  async function send(
    placed: Placed,
    request: GeneratedRequest,
    how: (typeof SIGN_INS)[number],
    world: World,
  ): Promise<string | undefined> {
    const signedIn = authorization(placed, how, world);
    const headers: Record<string, string> = {
      ...request.headers,
      ...(signedIn === undefined ? {} : { authorization: signedIn }),
    };
    // an ETag out of the document would be stale most of the time
    if (headers['if-match'] === '"v1"') headers['if-match'] = '*';
    if (headers['x-forward-auth-authorization'] === 'Basic rs_example')
      headers['x-forward-auth-authorization'] = world['server']!;
    const body = request.body === undefined ? undefined : filled(request.body, world);
    const path = filled(request.path, world);
    const call = (): Promise<Response> =>
      fetch(`${service.url}${path}`, {
        method: placed.method,
        headers,
        redirect: 'manual',
        ...(body === undefined ? {} : { body }),
      });
    // forward-auth is 503 for the callers of a gateway that does not sign in with its own secret
    const isForwardAuth = placed.path === '/oauth2/forward-auth';
    const isUnknownGateway = isForwardAuth && headers['x-forward-auth-authorization'] !== world['server'];
    let response = await call();
    if (isUnknownGateway && response.status === 503) return undefined;
    // a machine that is busy with other things is no fault; one that goes on being too busy is
    for (let turn = 0; response.status === 503 && turn < 5; turn += 1) {
      await response.text();
      response = await call();
    }
    const text = await response.text();
    const fault = openApi.fault(placed, {
      status: response.status,
      contentType: response.headers.get('content-type'),
      text,
    });
    return fault === undefined
      ? undefined
      : [
          fault,
          `${placed.method} ${path}`,
          JSON.stringify(headers),
          body?.slice(0, 500) ?? '',
          text.slice(0, 500),
        ].join('\n    ');
  }

  let openApi: OpenApiContract;

  it(
    `finds no 5xx and nothing undocumented in ${REQUESTS} requests`,
    async () => {
      openApi = new OpenApiContract((await api.get<OpenApiDocument>('/openapi.json')).body);
      const generator = new InputGenerator(openApi);
      const seed = Number(process.env['LATCHKEY_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      const { operations } = openApi;
      const each = Math.ceil(REQUESTS / operations.length);
      // one of a kind an operation: the first shows what there is to see
      const faults = new Map<string, string>();
      const lasting = await makeWorld();
      let count = 0;
      for (const placed of operations) {
        const inputs = fc.sample(fc.tuple(generator.requests(placed, fill), fc.constantFrom(...SIGN_INS)), {
          numRuns: each,
          seed,
        });
        for (let from = 0; from < inputs.length; from += WORLD_LASTS) {
          // what is only read lasts
          const world = placed.method === 'GET' ? lasting : await makeWorld();
          const queue = inputs.slice(from, from + WORLD_LASTS);
          const worker = async (): Promise<void> => {
            for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
              count += 1;
              const fault = await send(placed, ...next, world);
              const kind = `${placed.operation.operationId} ${fault?.split('\n', 1)[0] ?? ''}`;
              if (fault !== undefined && !faults.has(kind)) faults.set(kind, fault);
            }
          };
          await Promise.all(Array.from({ length: AT_ONCE }, worker));
        }
      }
      if (faults.size > 0) throw new Error([`LATCHKEY_TEST_SEED=${seed}`, ...faults.values()].join('\n\n'));
      expect(count).toBeGreaterThanOrEqual(REQUESTS);
      expect(service.log.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
      expect((await api.get('/readyz')).status).toBe(200);
    },
    TIME_LIMIT_MS,
  );
});
