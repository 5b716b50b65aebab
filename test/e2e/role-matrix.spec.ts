import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { SignIn } from '../support/api.ts';
import { aUser, anOperation, unique } from '../support/builders.ts';
import { CompanyProvider } from '../support/company-provider.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

type Role = 'platform-admin' | 'operation-admin' | 'auditor';

const all: readonly Role[] = ['platform-admin', 'operation-admin', 'auditor'];
const admins: readonly Role[] = ['platform-admin', 'operation-admin'];
const overseers: readonly Role[] = ['platform-admin', 'auditor'];
const platform: readonly Role[] = ['platform-admin'];

const CREDENTIAL = '/v1/operations/{operationId}/credentials/{credentialId}';

type Callers = readonly Role[] | 'public' | 'any' | 'session';
/** A person's ways to sign in. */
const WAYS = ['basic', 'session', 'bearer', 'key'] as const;
type Way = (typeof WAYS)[number];

/**
 * Who may call what; `public` needs no sign-in of a person, `any` no role, and `session` a session and no role. A route
 * that is not here fails the test.
 */
const matrix: Readonly<Record<string, Callers>> = {
  'GET /livez': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'public',
  'GET /.well-known/oauth-authorization-server': 'public',
  'GET /.well-known/latchkey-checkpoint-keys': 'public',
  'POST /oauth2/token': 'public',
  'POST /oauth2/introspect': 'public',
  'POST /oauth2/revoke': 'public',
  'GET /oauth2/forward-auth': 'public',
  'GET /oauth2/tokens': 'public',
  'DELETE /oauth2/tokens': 'public',
  'DELETE /oauth2/tokens/{tokenId}': 'public',
  'POST /v1/operations': platform,
  'GET /v1/operations': all,
  'GET /v1/operations/{operationId}': all,
  'PATCH /v1/operations/{operationId}': platform,
  'DELETE /v1/operations/{operationId}': platform,
  'GET /v1/operations/{operationId}/apis': all,
  'PUT /v1/operations/{operationId}/apis': platform,
  'PATCH /v1/operations/{operationId}/apis': platform,
  'POST /v1/operations/{operationId}/credentials': admins,
  'GET /v1/operations/{operationId}/credentials': all,
  [`GET ${CREDENTIAL}`]: all,
  [`PATCH ${CREDENTIAL}`]: admins,
  [`DELETE ${CREDENTIAL}`]: admins,
  [`POST ${CREDENTIAL}/rotate-secret`]: admins,
  [`POST ${CREDENTIAL}/simulate`]: all,
  [`GET ${CREDENTIAL}/secrets`]: all,
  [`DELETE ${CREDENTIAL}/secrets/{secretId}`]: admins,
  [`GET ${CREDENTIAL}/apis`]: all,
  [`PUT ${CREDENTIAL}/apis`]: admins,
  [`PATCH ${CREDENTIAL}/apis`]: admins,
  [`DELETE ${CREDENTIAL}/apis`]: admins,
  [`GET ${CREDENTIAL}/tokens`]: all,
  [`GET ${CREDENTIAL}/usage`]: all,
  [`DELETE ${CREDENTIAL}/tokens`]: admins,
  [`DELETE ${CREDENTIAL}/tokens/{tokenId}`]: admins,
  'GET /v1/credentials': all,
  'GET /v1/attention': all,
  'POST /v1/leaks': all,
  'POST /v1/apis': platform,
  'GET /v1/apis': all,
  'GET /v1/apis/{apiKey}': all,
  'PATCH /v1/apis/{apiKey}': platform,
  'GET /v1/apis/{apiKey}/credentials': all,
  'DELETE /v1/apis/{apiKey}': platform,
  'POST /v1/resource-servers': platform,
  'GET /v1/resource-servers': overseers,
  'GET /v1/resource-servers/{resourceServerId}': overseers,
  'PATCH /v1/resource-servers/{resourceServerId}': platform,
  'DELETE /v1/resource-servers/{resourceServerId}': platform,
  'POST /v1/resource-servers/{resourceServerId}/rotate-secret': platform,
  'GET /v1/resource-servers/{resourceServerId}/secrets': overseers,
  'DELETE /v1/resource-servers/{resourceServerId}/secrets/{secretId}': platform,
  'POST /v1/users': platform,
  'GET /v1/users': overseers,
  'GET /v1/users/{userId}': overseers,
  'PATCH /v1/users/{userId}': platform,
  'DELETE /v1/users/{userId}': platform,
  'DELETE /v1/users/{userId}/sessions': platform,
  'POST /v1/users/{userId}/keys': platform,
  'GET /v1/users/{userId}/keys': overseers,
  'GET /v1/users/{userId}/keys/{keyId}': overseers,
  'DELETE /v1/users/{userId}/keys/{keyId}': platform,
  'POST /v1/session': 'public',
  'GET /v1/session': 'session',
  'DELETE /v1/session': 'session',
  'GET /v1/me/sessions': 'any',
  'DELETE /v1/me/sessions/{sessionId}': 'any',
  'GET /v1/me': all,
  'PUT /v1/me/password': all,
  'GET /v1/events/feed': all,
  'GET /v1/events': all,
  'GET /v1/reviews/access': all,
  'POST /v1/reviews': all,
  'GET /v1/events/{eventId}': all,
  'GET /v1/events/export': all,
  'GET /v1/events/verify': all,
  'GET /v1/checkpoints': all,
  'GET /v1/checkpoints/export': all,
  'POST /v1/checkpoints': overseers,
  'GET /v1/queues': platform,
  'GET /v1/jobs': platform,
  'GET /v1/outbox': platform,
  'POST /v1/jobs/{queue}/{jobId}/retry': platform,
};

function mayCall(allowed: Callers, role: Role, way: Way): boolean {
  if (allowed === 'session') return way === 'session';
  return allowed === 'any' || allowed.includes(role);
}

/** An API key of a new service user with this role. */
async function aKey(admin: Api, role: Role, operationId: string): Promise<string> {
  const robot = { username: unique('robot'), kind: 'service', roles: [role], operationIds: [operationId] };
  const { body } = await admin.post<{ id: string }>('/v1/users', robot);
  return (await admin.post<{ apiKey: string }>(`/v1/users/${body.id}/keys`, { name: role })).body.apiKey;
}

describe('the role matrix', () => {
  let service: Service;
  let admin: Api;
  let operationId: string;
  let foreignId: string;
  let provider: CompanyProvider;
  const people = new Map<Role, SignIn>();
  const keys = new Map<Role, string>();

  beforeAll(async () => {
    provider = await CompanyProvider.create();
    await provider.start('http://127.0.0.1:1');
    service = await startService({ env: provider.env });
    admin = new Api(service.url);
    operationId = (await anOperation(admin)).id;
    foreignId = (await anOperation(admin)).id;
    for (const role of ['operation-admin', 'auditor'] as const) keys.set(role, await aKey(admin, role, operationId));
    for (const role of all)
      people.set(role, await aUser(admin, [role], role === 'operation-admin' ? [operationId] : []));
  });

  afterAll(async () => {
    await service.stop();
    await provider.stop();
    await service.database.drop();
  });

  async function documented(): Promise<string[]> {
    const { body } = await admin.get<{ paths: Record<string, object> }>('/openapi.json');
    return Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** The person of this role, signed in this way; by a new session each time, since some calls end it. */
  async function signedIn(role: Role, way: Way): Promise<Api> {
    const who = people.get(role);
    if (who === undefined) throw new Error(`nobody is ${role}`);
    if (way === 'session') return admin.inSession(who);
    if (way === 'key') return admin.as({ bearer: keys.get(role) ?? '' });
    const claims = { groups: [role], operations: [operationId] };
    return admin.as(way === 'basic' ? who : { bearer: await provider.bearer(role, claims) });
  }

  async function ask(route: string, api: Api, operation: string): Promise<number> {
    const [method = '', template = ''] = route.split(' ');
    // an unknown thing of a known kind: whoever may ask gets as far as 404 (or 400), and nothing is changed
    const path = template.replace('{operationId}', operation).replaceAll(/\{\w+\}/g, 'unknown');
    const call = method === 'GET' || method === 'DELETE' ? {} : { body: { unknownMember: true } };
    return (await api.call(method, path, { ...call, ifMatch: '"v999"' })).status;
  }

  it('lists exactly the routes that exist', async () => {
    expect((await documented()).sort()).toEqual(Object.keys(matrix).sort());
  });

  it('accepts permitted roles, refuses others with 403, and asks anonymous callers to sign in', async () => {
    const wrong: string[] = [];
    for (const [route, allowed] of Object.entries(matrix)) {
      if (allowed === 'public') continue;
      const anonymous = await ask(route, admin.as(null), operationId);
      if (anonymous !== 401) wrong.push(`${route}: ${anonymous} for no one`);
      // a service user is never platform-admin
      const ways = all.flatMap((role) => WAYS.map((way) => [role, way] as const));
      const asked = ways.filter(([role, way]) => way !== 'key' || role !== 'platform-admin');
      await Promise.all(
        asked.map(async ([role, way]) => {
          const status = await ask(route, await signedIn(role, way), operationId);
          const isRefused = status === 401 || status === 403;
          if (isRefused === mayCall(allowed, role, way)) wrong.push(`${route}: ${status} for ${role} by ${way}`);
        }),
      );
    }
    expect(wrong).toEqual([]);
  });

  it('matches the OpenAPI document', async () => {
    const { body } = await admin.get<{ paths: Record<string, Record<string, { 'x-roles': string[] }>> }>(
      '/openapi.json',
    );
    const told = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { 'x-roles': roles }]) => [`${method.toUpperCase()} ${path}`, roles]),
    );
    const rolesOf = (allowed: Callers): readonly string[] => {
      if (allowed === 'public') return [];
      return allowed === 'any' || allowed === 'session' ? ['any'] : allowed;
    };
    const expected = Object.entries(matrix).map(([route, allowed]) => [route, rolesOf(allowed)]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
  });

  it('treats another operation like an unknown one for an operation-admin', async () => {
    const who = await signedIn('operation-admin', 'session');
    const wrong: string[] = [];
    for (const [route, allowed] of Object.entries(matrix)) {
      if (!route.includes('{operationId}') || !allowed.includes('operation-admin')) continue;
      const statuses = [await ask(route, who, foreignId), await ask(route, who, 'op_unknown')];
      if (statuses.some((status) => status !== 404)) wrong.push(`${route}: ${statuses.join(', ')}`);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps public routes public', async () => {
    for (const [route, allowed] of Object.entries(matrix)) {
      if (allowed !== 'public' || !route.startsWith('GET') || route.includes('/oauth2/')) continue;
      expect([route, await ask(route, admin.as(null), operationId)]).toEqual([route, 200]);
    }
  });
});
