import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { SignIn } from '../support/api.ts';
import { aUser, anOperation } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

type Role = 'platform-admin' | 'operation-admin' | 'auditor';

const all: readonly Role[] = ['platform-admin', 'operation-admin', 'auditor'];
const admins: readonly Role[] = ['platform-admin', 'operation-admin'];
const overseers: readonly Role[] = ['platform-admin', 'auditor'];
const platform: readonly Role[] = ['platform-admin'];

const CREDENTIAL = '/v1/operations/{operationId}/credentials/{credentialId}';

/** Who may call what; `public` needs no sign-in of a person. A route that is not here fails the test. */
const matrix: Readonly<Record<string, readonly Role[] | 'public'>> = {
  'GET /livez': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'public',
  'GET /.well-known/oauth-authorization-server': 'public',
  'GET /.well-known/latchkey-checkpoint-keys': 'public',
  'POST /oauth2/token': 'public',
  'POST /oauth2/introspect': 'public',
  'POST /oauth2/revoke': 'public',
  'GET /oauth2/forward-auth': 'public',
  'POST /v1/operations': platform,
  'GET /v1/operations': all,
  'GET /v1/operations/{operationId}': all,
  'PATCH /v1/operations/{operationId}': platform,
  'DELETE /v1/operations/{operationId}': platform,
  'POST /v1/operations/{operationId}/credentials': admins,
  'GET /v1/operations/{operationId}/credentials': all,
  [`GET ${CREDENTIAL}`]: all,
  [`PATCH ${CREDENTIAL}`]: admins,
  [`DELETE ${CREDENTIAL}`]: admins,
  [`POST ${CREDENTIAL}/rotate-secret`]: admins,
  [`GET ${CREDENTIAL}/secrets`]: all,
  [`DELETE ${CREDENTIAL}/secrets/{secretId}`]: admins,
  [`GET ${CREDENTIAL}/apis`]: all,
  [`PUT ${CREDENTIAL}/apis`]: admins,
  [`PATCH ${CREDENTIAL}/apis`]: admins,
  [`DELETE ${CREDENTIAL}/apis`]: admins,
  [`GET ${CREDENTIAL}/tokens`]: all,
  [`DELETE ${CREDENTIAL}/tokens`]: admins,
  [`DELETE ${CREDENTIAL}/tokens/{tokenId}`]: admins,
  'POST /v1/apis': platform,
  'GET /v1/apis': all,
  'GET /v1/apis/{apiKey}': all,
  'PATCH /v1/apis/{apiKey}': platform,
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
  'GET /v1/me': all,
  'PUT /v1/me/password': all,
  'GET /v1/events': all,
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

describe('the role matrix', () => {
  let service: Service;
  let admin: Api;
  let operationId: string;
  let foreignId: string;
  const people = new Map<Role, SignIn>();

  beforeAll(async () => {
    service = await startService();
    admin = new Api(service.url);
    operationId = (await anOperation(admin)).id;
    foreignId = (await anOperation(admin)).id;
    for (const role of all)
      people.set(role, await aUser(admin, [role], role === 'operation-admin' ? [operationId] : []));
  });

  afterAll(async () => {
    await service.stop();
    await service.database.drop();
  });

  async function documented(): Promise<string[]> {
    const { body } = await admin.get<{ paths: Record<string, object> }>('/openapi.json');
    return Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  async function ask(route: string, who: SignIn | null, operation: string): Promise<number> {
    const [method = '', template = ''] = route.split(' ');
    // an unknown thing of a known kind: whoever may ask gets as far as 404 (or 400), and nothing is changed
    const path = template.replace('{operationId}', operation).replaceAll(/\{\w+\}/g, 'unknown');
    const call = method === 'GET' || method === 'DELETE' ? {} : { body: { unknownMember: true } };
    return (await admin.as(who).call(method, path, { ...call, ifMatch: '"v999"' })).status;
  }

  it('knows every route, and no route that is not there', async () => {
    expect((await documented()).sort()).toEqual(Object.keys(matrix).sort());
  });

  it('lets in who may, refuses who may not, and asks the rest to sign in', async () => {
    const wrong: string[] = [];
    for (const [route, allowed] of Object.entries(matrix)) {
      if (allowed === 'public') continue;
      const anonymous = await ask(route, null, operationId);
      if (anonymous !== 401) wrong.push(`${route}: ${anonymous} for no one`);
      for (const role of all) {
        const status = await ask(route, people.get(role) ?? null, operationId);
        const refused = status === 401 || status === 403;
        if (refused === allowed.includes(role)) wrong.push(`${route}: ${status} for ${role}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('answers a foreign operation to an operation-admin as it answers an unknown one', async () => {
    const who = people.get('operation-admin') ?? null;
    const wrong: string[] = [];
    for (const [route, allowed] of Object.entries(matrix)) {
      if (!route.includes('{operationId}') || allowed === 'public' || !allowed.includes('operation-admin')) continue;
      const statuses = [await ask(route, who, foreignId), await ask(route, who, 'op_unknown')];
      if (statuses.some((status) => status !== 404)) wrong.push(`${route}: ${statuses.join(', ')}`);
    }
    expect(wrong).toEqual([]);
  });

  it('keeps public routes public', async () => {
    for (const [route, allowed] of Object.entries(matrix)) {
      if (allowed !== 'public' || route.includes('/oauth2/')) continue;
      expect([route, await ask(route, null, operationId)]).toEqual([route, 200]);
    }
  });
});
