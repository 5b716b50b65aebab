import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { CredentialBody, EventBody, PageBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf } from '../support/builders.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('the main job, end to end', () => {
  let service: Service;
  let admin: Api;

  beforeAll(async () => {
    service = await startService();
    admin = new Api(service.url);
  });

  afterAll(() => service.discard());

  async function setUp(): Promise<{
    credential: CredentialBody;
    server: { username: string; password: string };
    api: string;
  }> {
    const { id } = await anOperation(admin);
    const { key } = await anApi(admin);
    const credential = await aCredential(admin, id, { apis: [key] });
    return { credential, server: await aResourceServer(admin, [key]), api: key };
  }

  const form = (
    client: { username: string; password: string } | null,
    path: string,
    parameters: Record<string, string>,
  ) =>
    admin.as(client).call(`POST`, path, {
      raw: new URLSearchParams(parameters).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

  async function tokens(credential: CredentialBody, count: number): Promise<string[]> {
    const client = { username: credential.clientId, password: credential.clientSecret };
    const issued: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const { status, body } = await form(client, '/oauth2/token', { grant_type: 'client_credentials' });
      expect(status).toBe(200);
      issued.push(body['access_token'] as string);
    }
    return issued;
  }

  async function typesOf(operationId: string): Promise<string[]> {
    const { body } = await admin.get<PageBody<EventBody>>(`/v1/events?operationId=${operationId}&limit=100`);
    // sums of refusals stand outside the chain
    return body.items
      .filter(({ type }) => type !== 'sign-in.refused.v1')
      .map(({ type }) => type)
      .reverse();
  }

  it('creates a credential, issues ten tokens, refuses the eleventh, verifies, deletes, and purges', async () => {
    const { credential, server, api } = await setUp();
    const [first = '', ...others] = await tokens(credential, 10);
    const client = { username: credential.clientId, password: credential.clientSecret };
    const eleventh = await form(client, '/oauth2/token', { grant_type: 'client_credentials' });
    expect(eleventh.status).toBe(429);
    expect(eleventh.body['error']).toBe('temporarily_unavailable');
    expect(Number(eleventh.headers.get('retry-after'))).toBeGreaterThan(3500);

    const verdict = await form(server, '/oauth2/introspect', { token: first, client_ip: '198.51.100.7' });
    expect(verdict.body).toMatchObject({
      active: true,
      client_id: credential.clientId,
      scope: api,
      token_type: 'Bearer',
    });

    const deleted = await admin.call('DELETE', pathOf(credential), { ifMatch: '"v1"' });
    expect(deleted.status).toBe(204);
    for (const token of [first, ...others]) {
      const after = await form(server, '/oauth2/introspect', { token, client_ip: '198.51.100.7' });
      expect([after.status, after.text]).toEqual([200, '{"active":false}']);
    }
    await eventually(async () => (await typesOf(credential.operationId)).includes('tokens.purged.v1'));
    expect(await typesOf(credential.operationId)).toEqual([
      'operation.created.v1',
      'credential.created.v1',
      ...Array.from({ length: 10 }, () => 'token.issued.v1'),
      'credential.deleted.v1',
      'tokens.purged.v1',
    ]);
    const stored = await service.database.collection('tokens');
    expect(await stored.countDocuments({ credentialId: credential.id })).toBe(0);
  });

  it('loses nothing when the service is killed and restarted', async () => {
    const { credential, server } = await setUp();
    const [token = ''] = await tokens(credential, 1);
    const gone = await setUp();
    await tokens(gone.credential, 3);
    await admin.call('DELETE', pathOf(gone.credential), { ifMatch: '*' });
    await service.kill('SIGKILL');
    await service.start();
    admin = new Api(service.url);

    const verdict = await form(server, '/oauth2/introspect', { token, client_ip: '198.51.100.7' });
    expect(verdict.body).toMatchObject({ active: true });
    const types = await typesOf(credential.operationId);
    expect(types).toEqual(['operation.created.v1', 'credential.created.v1', 'token.issued.v1']);
    await eventually(
      async () =>
        (await typesOf(gone.credential.operationId)).filter((type) => type === 'tokens.purged.v1').length === 1,
      60_000,
    );
  });
});
