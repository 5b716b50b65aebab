import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { ApiBody, CredentialBody, OperationBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('lists', () => {
  let service: Service;
  let api: Api;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
  });
  afterAll(() => service.discard());

  const page = async <T>(path: string): Promise<PageBody<T>> => {
    const { status, body, text } = await api.get<PageBody<T>>(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    return body;
  };

  it('neither repeat nor miss existing items across pages, while others write', async () => {
    const tag = unique('walk');
    const before: string[] = [];
    for (let index = 0; index < 25; index += 1) before.push((await anOperation(api, { name: `${tag} ${index}` })).id);
    const leaving = new Set([before[3]!, before[20]!]);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let turn = 0; cursor !== null; turn += 1) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { items, nextCursor }: PageBody<OperationBody> = await page(`/v1/operations?limit=4&name=${tag}${query}`);
      expect(items.length).toBeLessThanOrEqual(4);
      seen.push(...items.map(({ id }) => id));
      cursor = nextCursor;
      // others write in between
      await anOperation(api, { name: `${tag} new ${turn}` });
      if (turn === 1) for (const id of leaving) await api.delete(`/v1/operations/${id}`);
      if (turn < 5) await api.patch(`/v1/operations/${before[10 + turn]!}`, { name: `${tag} renamed ${turn}` });
      expect(turn).toBeLessThan(40);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(before.filter((id) => !leaving.has(id))));
  });

  it('have 20 items per page by default, and accept a limit of 1 to 100', async () => {
    const tag = unique('size');
    for (let index = 0; index < 22; index += 1) await anOperation(api, { name: `${tag} ${index}` });
    expect((await page(`/v1/operations?name=${tag}`)).items).toHaveLength(20);
    expect((await page(`/v1/operations?name=${tag}&limit=1`)).items).toHaveLength(1);
    expect((await page(`/v1/operations?name=${tag}&limit=100`)).items).toHaveLength(22);
    for (const limit of ['0', '101', '-1', '1.5', '', 'x', '1e1', '%201', '0x10', '99999999999']) {
      const answer = await api.get<ProblemBody>(`/v1/operations?limit=${limit}`);
      expect([limit, answer.status, answer.body.errors?.[0]?.pointer]).toEqual([limit, 400, '/query/limit']);
    }
  });

  it('accept only an unchanged cursor, and only for its own list', async () => {
    const tag = unique('cursor');
    for (let index = 0; index < 3; index += 1) await anOperation(api, { name: `${tag} ${index}` });
    const { nextCursor } = await page<OperationBody>(`/v1/operations?limit=1&name=${tag}`);
    const cursor = nextCursor!;
    expect((await page(`/v1/operations?limit=2&name=${tag}&cursor=${cursor}`)).items).toHaveLength(2);
    const flipped = cursor.startsWith('A') ? `B${cursor.slice(1)}` : `A${cursor.slice(1)}`;
    const middle = Math.floor(cursor.length / 2);
    const swapped = cursor[middle] === 'x' ? 'y' : 'x';
    const bad = [
      `name=${tag}&cursor=${flipped}`,
      `name=${tag}&cursor=${cursor.slice(0, middle)}${swapped}${cursor.slice(middle + 1)}`,
      `name=${tag}&cursor=${cursor.slice(0, -1)}`,
      `name=${tag}&cursor=${cursor}A`,
      `name=${tag}&cursor=${cursor}%3D`,
      `name=${tag}&cursor=${Buffer.from('{"list":"operations","after":""}').toString('base64url')}`,
      `name=other&cursor=${cursor}`,
      `cursor=${cursor}`,
    ];
    for (const query of bad) {
      const answer = await api.get<ProblemBody>(`/v1/operations?${query}`);
      expect([query, answer.status, answer.body.type]).toEqual([query, 400, 'urn:latchkey:problem:invalid-cursor']);
    }
    expect((await api.get(`/v1/apis?cursor=${cursor}`)).status).toBe(400);
    for (const query of ['cursor=', `cursor=${'A'.repeat(1025)}`, `cursor=${cursor}&cursor=${cursor}`]) {
      expect((await api.get(`/v1/operations?${query}`)).status).toBe(400);
    }
  });

  it('filter credentials by name, status and API, literally and combined', async () => {
    const { id } = await anOperation(api);
    const { key } = await anApi(api);
    const unused = await anApi(api);
    const path = `/v1/operations/${id}/credentials`;
    const plain = await aCredential(api, id, { name: 'Report .* robot', apis: [key] });
    const off = await aCredential(api, id, { name: 'report xx robot' });
    const sharp = await aCredential(api, id, { name: 'Stra\u00dfe 5' });
    expect((await api.patch(pathOf(off), { status: 'disabled' })).status).toBe(200);
    const names = async (query: string): Promise<string[]> =>
      (await page<CredentialBody>(`${path}?${query}`)).items.map(({ name }) => name);
    expect(await names('')).toEqual([plain.name, off.name, sharp.name]);
    expect(await names('name=REPORT')).toEqual([plain.name, off.name]);
    expect(await names('name=.*')).toEqual([plain.name]);
    expect(await names('name=strasse')).toEqual([sharp.name]);
    expect(await names('name=%5E')).toEqual([]);
    expect(await names('status=disabled')).toEqual([off.name]);
    expect(await names(`api=${key}`)).toEqual([plain.name]);
    expect(await names(`api=${key}&status=disabled`)).toEqual([]);
    expect(await names(`api=${unused.key}`)).toEqual([]);
    expect((await api.get<ProblemBody>(`${path}?api=nothing`)).body.errors).toMatchObject([{ pointer: '/query/api' }]);
    for (const query of ['status=gone', 'status=', 'api=NO', 'name=', `name=${'x'.repeat(101)}`]) {
      expect([query, (await api.get(`${path}?${query}`)).status]).toEqual([query, 400]);
    }
  });

  it.each([
    'nmae=x',
    'name[$ne]=x',
    'name[]=x',
    'name.x=1',
    '$where=1',
    'toString=1',
    'constructor=1',
    '__proto__=1',
    'id=a&id=b',
    'sort=name',
  ])('refuse the query %s', async (query) => {
    const { id } = await anOperation(api);
    for (const path of ['/v1/operations', `/v1/operations/${id}/credentials`, '/v1/apis', '/v1/events', '/v1/users']) {
      const answer = await api.get<ProblemBody>(`${path}?${query}`);
      expect([path, answer.status]).toEqual([path, 400]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      const name = decodeURIComponent(query.split('=')[0]!);
      expect(answer.body.errors?.[0]).toMatchObject({ pointer: `/query/${name}`, code: 'unknown-member' });
    }
    // the same for a call that takes no query
    expect((await api.get(`/v1/operations/${id}?${query}`)).status).toBe(400);
  });

  it('find nothing, or refuse, for a filter that contains NUL', async () => {
    const { id } = await anOperation(api);
    const lists = [
      ['/v1/operations', 'name'],
      [`/v1/operations/${id}/credentials`, 'name', 'api'],
      ['/v1/events', 'subject', 'actor', 'type', 'operationId'],
      ['/v1/jobs', 'queue'],
    ] as const;
    for (const [path, ...filters] of lists) {
      for (const filter of filters) {
        const { status, body } = await api.get<PageBody<unknown>>(`${path}?${filter}=%00`);
        expect({ path, filter, fine: [200, 400].includes(status) }).toEqual({ path, filter, fine: true });
        if (status === 200) expect(body.items).toEqual([]);
      }
    }
  });

  it('refuse a filter that is given twice', async () => {
    const answer = await api.get<ProblemBody>('/v1/operations?name=a&name=b');
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/query/name']);
  });

  it('show an operation-admin only their own operations', async () => {
    const mine = await anOperation(api);
    const foreign = await anOperation(api);
    const credential = await aCredential(api, foreign.id);
    const person = api.as(await aUser(api, ['operation-admin'], [mine.id]));
    expect((await person.all<OperationBody>('/v1/operations')).map(({ id }) => id)).toEqual([mine.id]);
    expect((await person.get(`/v1/operations/${mine.id}/credentials`)).status).toBe(200);
    const unknown = 'op_00000000000000000000000000000000';
    for (const at of ['', '/credentials', `/credentials/${credential.id}`]) {
      const answers = await Promise.all(
        [foreign.id, unknown].map((id) => person.get<ProblemBody>(`/v1/operations/${id}${at}`)),
      );
      const shown = answers.map(({ status, body: { instance: _instance, ...rest } }) => [status, rest]);
      expect(shown[0]?.[0]).toBe(404);
      expect(shown[0]).toEqual(shown[1]);
    }
    // a credential is found below its own operation only
    expect((await api.get(`/v1/operations/${mine.id}/credentials/${credential.id}`)).status).toBe(404);
    expect((await api.patch(`/v1/operations/${mine.id}/credentials/${credential.id}`, {})).status).toBe(404);
    expect((await api.delete(`/v1/operations/${mine.id}/credentials/${credential.id}`)).status).toBe(404);
  });

  it('sort the API catalogue by key', async () => {
    for (const key of ['b', 'a', 'c']) await anApi(api, { key: unique(key) });
    const keys = (await api.all<ApiBody>('/v1/apis')).map(({ key }) => key);
    expect(keys).toEqual([...keys].sort());
  });
});
