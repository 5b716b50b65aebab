import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { CredentialBody, ProblemBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const NONE = { owner: null, contact: null, labels: {} };
const OWNED = { owner: 'Billing team', contact: 'billing@example.com', labels: { 'cost.centre': 'A:17', env: '' } };

describe('owner, contact and labels of a credential', () => {
  let service: Service;
  let api: Api;
  let operationId: string;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
    operationId = (await anOperation(api)).id;
  });
  afterAll(() => service.discard());

  it('are empty by default, and stored as given', async () => {
    expect(await aCredential(api, operationId)).toMatchObject(NONE);
    const credential = await aCredential(api, operationId, OWNED);
    expect(credential).toMatchObject(OWNED);
    expect((await api.get(pathOf(credential))).body).toMatchObject(OWNED);
    const [event] = await api.events({ subject: credential.id, type: 'credential.created.v1' });
    expect(event?.data).toMatchObject(OWNED);
  });

  it('are replaced one by one, with the values before and after in the event', async () => {
    const credential = await aCredential(api, operationId, OWNED);
    const changes = { owner: null, labels: { env: 'prod' } };
    const edited = await api.patch<CredentialBody>(pathOf(credential), changes);
    expect([edited.status, edited.body]).toEqual([200, expect.objectContaining({ ...OWNED, ...changes })]);
    const [event] = await api.events({ subject: credential.id, type: 'credential.updated.v2' });
    expect(event?.data).toEqual({ before: { owner: OWNED.owner, labels: OWNED.labels }, after: changes });
    const again = await api.patch(pathOf(credential), { labels: { env: 'prod' } });
    expect(again.etag).toBe(edited.etag);
  });

  it('ignore the order of labels: a reordering is not a change', async () => {
    const credential = await aCredential(api, operationId, { labels: { a: '1', b: '2' } });
    expect((await api.patch(pathOf(credential), { labels: { b: '2', a: '1' } })).etag).toBe('"v1"');
  });

  const manyLabels = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`k${index}`, 'v']));
  it.each([
    ['owner', '', '/owner'],
    ['owner', ' Ada', '/owner'],
    ['owner', 'a\u202eb', '/owner'],
    ['owner', 'a\nb', '/owner'],
    ['owner', 'x'.repeat(201), '/owner'],
    ['owner', 7, '/owner'],
    ['contact', 'nobody', '/contact'],
    ['contact', '', '/contact'],
    ['contact', `${'a'.repeat(250)}@example.com`, '/contact'],
    ['contact', 'a@example.com\r\nBcc: b@example.com', '/contact'],
    ['labels', null, '/labels'],
    ['labels', [], '/labels'],
    ['labels', 'env:prod', '/labels'],
    ['labels', manyLabels, '/labels'],
    ['labels', { Env: 'prod' }, '/labels/Env'],
    ['labels', { '': 'prod' }, '/labels/'],
    ['labels', { _proto: 'prod' }, '/labels/_proto'],
    ['labels', { 'a:b': 'prod' }, '/labels/a:b'],
    ['labels', { [`k${'x'.repeat(63)}`]: 'v' }, `/labels/k${'x'.repeat(63)}`],
    ['labels', { env: 'x'.repeat(201) }, '/labels/env'],
    ['labels', { env: 'a\u200bb' }, '/labels/env'],
    ['labels', { env: null }, '/labels/env'],
    ['labels', { env: { $ne: null } }, '/labels/env'],
  ])('are refused with %s %j, and the member is named', async (member, value, pointer) => {
    const path = `/v1/operations/${operationId}/credentials`;
    const made = await api.post<ProblemBody>(path, { name: 'refused', [member]: value });
    expect([made.status, made.body.errors?.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  it('store labels named like object members (such as __proto__) as plain data', async () => {
    const labels = { constructor: 'x', valueof: 'y' };
    const raw = JSON.stringify({ name: 'members', labels });
    const made = await api.call<CredentialBody>('POST', `/v1/operations/${operationId}/credentials`, { raw });
    expect([made.status, made.body.labels]).toEqual([201, labels]);
    const refused = await api.call('POST', `/v1/operations/${operationId}/credentials`, {
      raw: '{"name":"proto","labels":{"__proto__":"x"}}',
    });
    expect(refused.status).toBe(400);
  });

  it('leave clientSecret right after clientId in create, rotation and replay', async () => {
    const path = `/v1/operations/${operationId}/credentials`;
    const made = await api.post<CredentialBody>(path, { name: 'order' }, { idempotencyKey: 'order-1' });
    const replayed = await api.post<CredentialBody>(path, { name: 'order' }, { idempotencyKey: 'order-1' });
    const rotated = await api.post<CredentialBody>(`${pathOf(made.body)}/rotate-secret`, {});
    for (const { text } of [made, replayed, rotated]) expect(text).toMatch(/"clientId":"[^"]+","clientSecret":/);
  });
});
