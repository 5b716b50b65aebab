import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('credential rules', () => {
  let service: Service;
  let api: Api;
  let operationId: string;
  let path: string;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
  });
  afterAll(() => service.discard());
  beforeEach(async () => {
    operationId = (await anOperation(api)).id;
    path = `/v1/operations/${operationId}/credentials`;
  });

  it('keep version and log unchanged for an edit that changes nothing', async () => {
    const credential = await aCredential(api, operationId, { description: 'same' });
    for (const changes of [{}, { description: 'same', name: credential.name, apis: [], status: 'active' }]) {
      const answer = await api.patch(pathOf(credential), changes, { ifMatch: '"v1"' });
      expect([answer.status, answer.etag]).toEqual([200, '"v1"']);
    }
    expect(await api.events({ subject: credential.id, type: 'credential.updated.v2' })).toEqual([]);
  });

  it.each([
    ['tokenTtlSeconds', 59],
    ['tokenTtlSeconds', 3601],
    ['tokenTtlSeconds', 60.5],
    ['tokenTtlSeconds', '60'],
    ['tokenTtlSeconds', null],
    ['tokenLimitPolicy', 'other'],
    ['expiresAt', '2099-01-31'],
    ['expiresAt', '2099-02-30T00:00:00Z'],
    ['expiresAt', '2099-01-31T00:00:00'],
    ['expiresAt', '9999-12-31T23:59:59-01:00'],
    ['expiresAt', '2001-01-01T00:00:00Z'],
    ['expiresAt', 4070908800],
    ['name', ''],
    ['name', 'x'.repeat(101)],
    ['name', null],
    ['name', 'a\u200bb'],
    ['name', 'a\u202eb'],
    ['name', 'a\tb'],
    ['description', null],
    ['description', 'x'.repeat(1001)],
    ['apis', null],
    ['apis', 'invoices'],
    ['apis', Array.from({ length: 501 }, (_, index) => `api${index}`)],
    ['allowedIps', null],
    ['allowedIps', Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`)],
    ['status', 'gone'],
  ])('refuse an edit of %s to %j and name the member', async (member, value) => {
    const credential = await aCredential(api, operationId);
    const answer = await api.patch<ProblemBody>(pathOf(credential), { [member]: value });
    expect(answer.status).toBe(400);
    expect(answer.body.type).toBe('urn:latchkey:problem:validation');
    expect(answer.body.errors?.map(({ pointer }) => pointer)).toEqual([`/${member}`]);
    expect((await api.get(pathOf(credential))).etag).toBe('"v1"');
  });

  it.each([
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.1',
    '167772161',
    '10/8',
    '::10.0.0.1',
    'fe80::1%eth0',
    '10.0.0.1:80',
    ' 10.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/255.0.0.0',
    '10.0.0.5/8',
    '::ffff:10.0.0.0/8',
    '0.0.0.0/0',
    '::/0',
    '',
    'localhost',
    '1.2.3.4.5',
    '[::1]',
  ])('refuse the address %j and name its position, without repeating it', async (address) => {
    const answer = await api.post<ProblemBody>(path, { name: 'robot', allowedIps: ['192.0.2.1', address] });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { pointer: '/allowedIps/1', code: 'invalid-address', message: expect.any(String) },
    ]);
    if (address.length > 8) expect(answer.text).not.toContain(address);
    if (address === '10.0.0.5/8') expect(answer.body.errors?.[0]?.message).toContain('10.0.0.0/8');
    expect((await api.get<PageBody<unknown>>(path)).body.items).toEqual([]);
  });

  it('require Allowed IPs where the operation requires them, on create and on edit', async () => {
    const strict = await anOperation(api, { requireAllowedIps: true });
    const refused = await api.post<ProblemBody>(`/v1/operations/${strict.id}/credentials`, { name: 'robot' });
    expect([refused.status, refused.body.type]).toEqual([400, 'urn:latchkey:problem:allowed-ips-required']);
    expect(refused.body.errors?.[0]?.pointer).toBe('/allowedIps');
    const credential = await aCredential(api, strict.id, { allowedIps: ['127.0.0.1'] });
    const emptied = await api.patch<ProblemBody>(pathOf(credential), { allowedIps: [] });
    expect([emptied.status, emptied.body.type]).toEqual([400, 'urn:latchkey:problem:allowed-ips-required']);
    expect((await api.get(`/v1/operations/${strict.id}`)).body['credentialCount']).toBe(1);
  });

  it('keep names unique by their case-folded form, per operation', async () => {
    const taken = await aCredential(api, operationId, { name: 'Stra\u00dfe' });
    for (const name of ['STRASSE', 'strasse', 'Stra\u00dfe']) {
      const answer = await api.post<ProblemBody>(path, { name });
      expect([answer.status, answer.body.type]).toEqual([409, 'urn:latchkey:problem:name-taken']);
      expect(answer.body.errors?.[0]?.pointer).toBe('/name');
    }
    expect((await api.patch(pathOf(taken), { name: 'STRASSE' })).status).toBe(200); // its own name in another form
    const elsewhere = await anOperation(api);
    expect((await api.post(`/v1/operations/${elsewhere.id}/credentials`, { name: 'strasse' })).status).toBe(201);
    const other = await aCredential(api, operationId);
    expect((await api.patch(pathOf(other), { name: 'Strasse' })).status).toBe(409);
  });

  it('name an unknown API by its position, and refuse an API that is both added and removed', async () => {
    const { key } = await anApi(api);
    const credential = await aCredential(api, operationId);
    const apis = `${pathOf(credential)}/apis`;
    const pointers = ({ body }: Answer<ProblemBody>): unknown => body.errors?.map(({ pointer }) => pointer);
    const set = await api.put<ProblemBody>(apis, { apis: [key, 'zz-none', key, 'aa-none'] });
    expect([set.status, set.body.type]).toEqual([400, 'urn:latchkey:problem:unknown-api']);
    expect(pointers(set)).toEqual(['/apis/1', '/apis/3']);
    const add = await api.patch<ProblemBody>(apis, { add: ['zz-none', key] });
    expect(pointers(add)).toEqual(['/add/0']);
    const both = await api.patch<ProblemBody>(apis, { add: [key], remove: ['zz-none', key] });
    expect([both.status, pointers(both)]).toEqual([400, ['/remove/1', '/remove/0']]);
    const made = await api.post<ProblemBody>(path, { name: 'robot', apis: ['zz-none'] });
    expect([made.status, pointers(made)]).toEqual([400, ['/apis/0']]);
    expect((await api.get(pathOf(credential))).etag).toBe('"v1"');
  });
});
