import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { CredentialBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('the search for credentials across operations', () => {
  let service: Service;
  let api: Api;
  let key: string;
  const operationIds: string[] = [];
  let first: CredentialBody;
  let second: CredentialBody;
  let third: CredentialBody;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
    key = (await anApi(api)).key;
    for (let count = 0; count < 3; count += 1) operationIds.push((await anOperation(api)).id);
    first = await aCredential(api, operationIds[0]!, {
      name: unique('Invoices 100%'),
      apis: [key],
      owner: 'Billing',
      labels: { env: 'prod', 'cost.centre': 'a:b' },
      allowedIps: ['192.0.2.1'],
      expiresAt: '2099-01-01T00:00:00Z',
    });
    second = await aCredential(api, operationIds[1]!, { owner: 'Billing', labels: { env: 'test' }, apis: [key] });
    third = await aCredential(api, operationIds[2]!, {});
    await api.patch(pathOf(third), { status: 'disabled' });
    await api.token(second);
  });
  afterAll(() => service.discard());

  const find = async (query: Record<string, string>, as: Api = api): Promise<string[]> => {
    const items = await as.all<CredentialBody>(`/v1/credentials?${new URLSearchParams(query).toString()}`);
    return items.map(({ id }) => id);
  };

  it('finds all of all operations, oldest first, as their own list shows them', async () => {
    expect(await find({})).toEqual([first.id, second.id, third.id]);
    const [shown] = (await api.get<PageBody<CredentialBody>>(`/v1/credentials?clientId=${first.clientId}`)).body.items;
    expect(shown).toEqual((await api.get(pathOf(first))).body);
  });

  it('narrows by each condition, all of which must hold', async () => {
    const past = '2020-01-01T00:00:00Z';
    const future = '2100-01-01T00:00:00Z';
    const cases: readonly (readonly [Record<string, string>, readonly CredentialBody[]])[] = [
      [{ clientId: second.clientId }, [second]],
      [{ name: 'INVOICES 100%' }, [first]],
      [{ name: '.*' }, []],
      [{ api: key }, [first, second]],
      [{ owner: 'Billing' }, [first, second]],
      [{ owner: 'billing' }, []],
      [{ label: 'env:prod' }, [first]],
      [{ label: 'cost.centre:a:b' }, [first]],
      [{ label: 'env:' }, []],
      [{ status: 'disabled' }, [third]],
      [{ unusedSince: past }, []],
      [{ unusedSince: future }, [first, second, third]],
      [{ unusedSince: second.createdAt }, [first]],
      [{ expiresBefore: future }, [first]],
      [{ expiresBefore: past }, []],
      [{ unrestrictedIps: 'false' }, [first]],
      [{ unrestrictedIps: 'true' }, [second, third]],
      [{ owner: 'Billing', label: 'env:test' }, [second]],
      [{ owner: 'Billing', status: 'disabled' }, []],
    ];
    for (const [query, found] of cases) {
      expect([query, await find(query)]).toEqual([query, found.map(({ id }) => id)]);
    }
  });

  it('shows to a person the operations that they may see', async () => {
    const admin = api.as(await aUser(api, ['operation-admin'], [operationIds[0]!, operationIds[2]!]));
    expect(await find({}, admin)).toEqual([first.id, third.id]);
    expect(await find({ clientId: second.clientId }, admin)).toEqual([]);
    expect(await find({}, api.as(await aUser(api, ['operation-admin'])))).toEqual([]);
    expect(await find({}, api.as(await aUser(api, ['auditor'])))).toHaveLength(3);
  });

  it('goes on where a page ended, with the same conditions only', async () => {
    const query = `owner=Billing&label=${encodeURIComponent(`env:${'x'.repeat(200)}`)}`;
    expect((await api.get(`/v1/credentials?${query}`)).status).toBe(200);
    const page = await api.get<PageBody<CredentialBody>>('/v1/credentials?owner=Billing&limit=1');
    const { nextCursor } = page.body;
    const next = await api.get<PageBody<CredentialBody>>(`/v1/credentials?owner=Billing&limit=1&cursor=${nextCursor}`);
    expect([page.body.items[0]!.id, next.body.items[0]!.id, next.body.nextCursor]).toEqual([first.id, second.id, null]);
    expect((await api.get(`/v1/credentials?cursor=${nextCursor}`)).status).toBe(400);
  });

  it.each([
    ['clientId[$ne]=x', '/query/clientId[$ne]'],
    ['label=env', '/query/label'],
    ['label=Env:prod', '/query/label'],
    ['status=gone', '/query/status'],
    ['unusedSince=yesterday', '/query/unusedSince'],
    ['unrestrictedIps=1', '/query/unrestrictedIps'],
    ['api=no-such-api', '/query/api'],
    ['limit=0', '/query/limit'],
    ['other=1', '/query/other'],
  ])('refuses ?%s', async (query, pointer) => {
    const { status, body } = await api.get<ProblemBody>(`/v1/credentials?${query}`);
    expect([status, body.errors?.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  it('shows credentials of the version before, which had no owner, labels or rules of their operation', async () => {
    const operation = await anOperation(api);
    const old = await aCredential(api, operation.id);
    const credentials = await service.database.collection<{ _id: string }>('credentials');
    const operations = await service.database.collection<{ _id: string }>('operations');
    await credentials.updateOne({ _id: old.id }, { $unset: { owner: 1, contact: 1, labels: 1, inherited: 1 } });
    await operations.updateOne({ _id: operation.id }, { $unset: { status: 1, policy: 1, entitledApis: 1 } });
    const byClientId = `/v1/credentials?clientId=${old.clientId}`;
    const { items } = (await api.get<PageBody<CredentialBody>>(byClientId)).body;
    expect(items).toMatchObject([{ id: old.id, owner: null, contact: null, labels: {} }]);
    const path = `/v1/operations/${operation.id}`;
    expect((await api.get(path)).body).toMatchObject({ status: 'active', policy: { requireOwner: null } });
    expect((await api.get(`${path}/apis`)).body).toEqual({ mode: 'all' });
    expect((await api.patch(path, { status: 'suspended' })).status).toBe(200);
    expect((await api.patch(pathOf(old), { labels: { env: 'old' } })).status).toBe(200);
    expect((await api.token(old)).status).toBe(401);
    expect(await find({ label: 'env:old' })).toEqual([old.id]);
    await api.delete(pathOf(old));
  });
});
