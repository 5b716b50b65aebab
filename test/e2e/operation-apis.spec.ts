import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Api, CredentialBody, ProblemBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';

interface ApiListBody {
  readonly items: { readonly key: string; readonly added: boolean }[];
}

describe('what an operation may be granted', () => {
  let world: OAuthWorld;
  let operationId: string;
  let path: string;
  let first: string;
  let second: string;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
    [first, second] = world.keys;
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    operationId = (await anOperation(world.api)).id;
    path = `/v1/operations/${operationId}/apis`;
  });

  const list = (...apis: string[]): object => ({ mode: 'listed', apis });
  const faultsOf = (body: ProblemBody): unknown => [
    body.type.replace('urn:latchkey:problem:', ''),
    body.errors?.map(({ pointer, code }) => `${pointer} ${code}`),
  ];

  it('is every API, until a list is set; the ETag is the operation’s', async () => {
    const before = await world.api.get(path);
    expect([before.status, before.body, before.etag]).toEqual([200, { mode: 'all' }, '"v1"']);
    const set = await world.api.put(path, list(second, first, second), { ifMatch: '"v1"' });
    expect([set.status, set.body, set.etag]).toEqual([200, { mode: 'listed', apis: [first, second] }, '"v2"']);
    expect((await world.api.get(`/v1/operations/${operationId}`)).etag).toBe('"v2"');
    expect((await world.api.put(path, list(first, second), { ifMatch: '"v2"' })).etag).toBe('"v2"');
    const [event, ...others] = await world.api.events({ operationId, type: 'operation.apis-changed.v1' });
    expect(others).toEqual([]);
    expect(event?.data).toEqual({ mode: 'listed', previousMode: 'all', added: [first, second], removed: [] });
    expect((await world.api.put(path, { mode: 'all' })).body).toEqual({ mode: 'all' });
  });

  it('is changed by adding and removing, also of a key whose API is gone', async () => {
    const { key: gone } = await anApi(world.api);
    await world.api.put(path, list(first, gone));
    expect((await world.api.delete(`/v1/apis/${gone}`)).status).toBe(204);
    const changed = await world.api.patch(path, { add: [second], remove: [first, gone, 'never-there'] });
    expect([changed.status, changed.body]).toEqual([200, { mode: 'listed', apis: [second] }]);
  });

  it('cannot be removed from while it is every API, and has nothing to add then', async () => {
    const removed = await world.api.patch<ProblemBody>(path, { remove: [first] });
    expect([removed.status, removed.body.type]).toEqual([409, 'urn:latchkey:problem:apis-not-listed']);
    const added = await world.api.patch(path, { add: [first] });
    expect([added.status, added.body, added.etag]).toEqual([200, { mode: 'all' }, '"v1"']);
  });

  it('is written with the operation’s If-Match, by a platform-admin only', async () => {
    const operationAdmin = world.api.as(await aUser(world.api, ['operation-admin'], [operationId]));
    expect((await operationAdmin.put(path, { mode: 'all' })).status).toBe(403);
    expect((await operationAdmin.patch(path, { add: [first] })).status).toBe(403);
    expect((await operationAdmin.get(path)).status).toBe(200);
    expect((await world.api.call('PUT', path, { body: { mode: 'all' } })).status).toBe(428);
    expect((await world.api.put(path, list(first), { ifMatch: '"v9"' })).status).toBe(412);
  });

  it.each([
    [{}, '/mode'],
    [{ mode: 'none' }, '/mode'],
    [{ mode: 'listed' }, '/apis'],
    [{ mode: 'listed', apis: null }, '/apis'],
    [{ mode: 'listed', apis: ['Not a key'] }, '/apis/0'],
    [{ mode: 'listed', apis: [{ $ne: 1 }] }, '/apis/0'],
    [{ mode: 'listed', apis: ['unknown-key'] }, '/apis/0'],
    [{ mode: 'all', apis: [] }, '/apis'],
    [{ mode: 'all', toString: 1 }, '/toString'],
  ])('refuses %j', async (body, pointer) => {
    const answer = await world.api.put<ProblemBody>(path, body);
    expect([answer.status, answer.body.errors?.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  it('is the limit of every grant, named by the pointer of each API beyond it', async () => {
    await world.api.put(path, list(first));
    const collection = `/v1/operations/${operationId}/credentials`;
    const made = await world.api.post<ProblemBody>(collection, { name: 'beyond', apis: [first, second] });
    expect([made.status, faultsOf(made.body)]).toEqual([403, ['api-not-entitled', ['/apis/1 api-not-entitled']]]);
    const credential = await aCredential(world.api, operationId, { apis: [first] });
    const edits = [
      await world.api.patch<ProblemBody>(pathOf(credential), { apis: [second] }),
      await world.api.put<ProblemBody>(`${pathOf(credential)}/apis`, { apis: [second] }),
    ];
    for (const { status, body } of edits) {
      expect([status, faultsOf(body)]).toEqual([403, ['api-not-entitled', ['/apis/0 api-not-entitled']]]);
    }
    const added = await world.api.patch<ProblemBody>(`${pathOf(credential)}/apis`, { add: [first, second] });
    expect([added.status, faultsOf(added.body)]).toEqual([403, ['api-not-entitled', ['/add/1 api-not-entitled']]]);
    expect((await world.api.get(pathOf(credential))).etag).toBe('"v1"');
  });

  it('is told with the other faults of a body, and an unknown API is only that', async () => {
    await world.api.put(path, list(first));
    const collection = `/v1/operations/${operationId}/credentials`;
    const unknown = await world.api.post<ProblemBody>(collection, { name: 'x', apis: ['no-such-api'] });
    expect([unknown.status, faultsOf(unknown.body)]).toEqual([400, ['unknown-api', ['/apis/0 unknown-api']]]);
    const both = await world.api.post<ProblemBody>(collection, { name: '', apis: ['no-such-api', second] });
    expect([both.status, faultsOf(both.body)]).toEqual([
      400,
      ['validation', ['/name invalid', '/apis/0 unknown-api', '/apis/1 api-not-entitled']],
    ]);
  });

  it('is what the API List of a credential shows', async () => {
    const credential = await aCredential(world.api, operationId, { apis: [first] });
    await world.api.put(path, list(first, second));
    const shown = async (): Promise<unknown> =>
      (await world.api.get<ApiListBody>(`${pathOf(credential)}/apis`)).body.items.map(({ key, added }) => [key, added]);
    expect(await shown()).toEqual([
      [first, true],
      [second, false],
    ]);
    await world.api.put(path, list(second));
    expect(await shown()).toEqual([[second, false]]);
  });

  it('takes what it no longer holds from every credential, one event each, on every instance when it is answered', async () => {
    const credentials: CredentialBody[] = [];
    for (const apis of [[first, second], [first], [second]]) {
      credentials.push(await aCredential(world.api, operationId, { name: unique('credential'), apis }));
    }
    const [both, onlyFirst, onlySecond] = credentials as [CredentialBody, CredentialBody, CredentialBody];
    const tokens = await Promise.all([world.tokenOf(both), world.tokenOf(onlyFirst), world.tokenOf(onlySecond)]);
    const scopes = (): Promise<unknown[]> =>
      Promise.all(
        tokens.map(
          async (token) => (await world.apis[1]!.introspect(world.resourceServer, token)).body['scope'] ?? null,
        ),
      );
    expect(await scopes()).toEqual([`${first} ${second}`, first, second]);

    await world.api.put(path, list(second));
    expect(await scopes()).toEqual([second, null, second]);
    const events = await world.api.events({ operationId, type: 'credential.updated.v2' });
    expect(events.map(({ subject, data }) => [subject.id, data])).toEqual([
      [onlyFirst.id, { before: { apis: [first] }, after: { apis: [] } }],
      [both.id, { before: { apis: [first, second] }, after: { apis: [second] } }],
    ]);
    const [operationEvent] = await world.api.events({ operationId, type: 'operation.apis-changed.v1' });
    expect(new Set([...events, operationEvent].map((event) => event?.requestId)).size).toBe(1);
    expect((await world.api.get(pathOf(onlySecond))).etag).toBe('"v1"');

    // what is granted again later comes back to nobody by itself
    await world.api.put(path, { mode: 'all' });
    expect(await scopes()).toEqual([second, null, second]);
  });

  it('holds against a grant at the same time', async () => {
    const credential = await aCredential(world.api, operationId);
    await world.api.put(path, list(first, second));
    let isOver = false;
    const grant = async (api: Api): Promise<void> => {
      while (!isOver) for (const key of [first, second]) await api.patch(`${pathOf(credential)}/apis`, { add: [key] });
    };
    const granting = world.apis.map(grant);
    try {
      // the operation's chain is busy: an edit may have to be sent again
      await eventually(async () => (await world.apis[1]!.put(path, list(second))).status === 200, 60_000);
      expect((await world.api.get<CredentialBody>(pathOf(credential))).body.apis).not.toContain(first);
    } finally {
      isOver = true;
      await Promise.all(granting);
    }
    expect((await world.api.get<CredentialBody>(pathOf(credential))).body.apis).not.toContain(first);
  });
});
