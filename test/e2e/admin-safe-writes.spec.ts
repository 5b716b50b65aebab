import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, CredentialBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

describe('safe writes', () => {
  let services: Service[];
  let api: Api;
  let other: Api;
  let operationId: string;
  let path: string;

  beforeAll(async () => {
    services = await startServices(2);
    [api, other] = services.map(({ url }) => new Api(url)) as [Api, Api];
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await services[0]!.database.drop();
  });
  beforeEach(async () => {
    operationId = (await anOperation(api)).id;
    path = `/v1/operations/${operationId}/credentials`;
  });

  const statuses = (answers: readonly Answer<unknown>[]): Record<number, number> => {
    const counts: Record<number, number> = {};
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  };

  /**
   * The final answer of a call. On a machine that is busy with other things some are 503, which promises that nothing
   * was changed: whoever gets one asks again.
   */
  const settled = async <T>(call: () => Promise<Answer<T>>): Promise<Answer<T>> => {
    for (let turn = 0; ; turn += 1) {
      const answer = await call();
      if (answer.status !== 503 || turn === 30) return answer;
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
  };

  describe('If-Match', () => {
    const writes: readonly (readonly [string, string, unknown])[] = [
      ['PATCH', '', { description: 'x' }],
      ['PUT', '/apis', { apis: [] }],
      ['PATCH', '/apis', { add: [] }],
      ['DELETE', '/apis', undefined],
      ['DELETE', '', undefined],
    ];

    it.each(writes)(
      'is required by %s …%s: 428 without it, 412 when it is stale, of another resource or malformed',
      async (method, at, body) => {
        const credential = await aCredential(api, operationId);
        const target = `${pathOf(credential)}${at}`;
        const without = await api.call<ProblemBody>(method, target, { body });
        expect([without.status, without.body.type]).toEqual([428, 'urn:latchkey:problem:precondition-required']);
        expect(without.body.errors?.[0]?.pointer).toBe('/header/If-Match');
        for (const ifMatch of ['"v0"', '"v2"', 'W/"v2"', '"other"', 'v1', '', '"v1', '"v99999999999999999999"']) {
          const answer = await api.call<ProblemBody>(method, target, { body, ifMatch });
          expect([ifMatch, answer.status, answer.body.type]).toEqual([
            ifMatch,
            412,
            'urn:latchkey:problem:precondition-failed',
          ]);
        }
        expect((await api.get(pathOf(credential))).etag).toBe('"v1"');
        const done = await api.call(method, target, { body, ifMatch: '"v7", "v1"' });
        expect([200, 204]).toContain(done.status);
      },
    );

    it('is optional for rotate-secret, and checked when sent', async () => {
      const credential = await aCredential(api, operationId);
      const target = `${pathOf(credential)}/rotate-secret`;
      expect((await api.call('POST', target, { body: {}, ifMatch: '"v9"' })).status).toBe(412);
      expect((await api.call('POST', target, { body: {}, ifMatch: '"v1"' })).etag).toBe('"v2"');
      expect((await api.call('POST', target)).etag).toBe('"v3"');
    });

    it('accepts one of 50 parallel edits with the same ETag: one 200, 49 times 412, one event', async () => {
      const credential = await aCredential(api, operationId);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          settled(() =>
            (index % 2 === 0 ? api : other).patch(
              pathOf(credential),
              { description: `edit ${index}` },
              { ifMatch: '"v1"' },
            ),
          ),
        ),
      );
      expect(statuses(answers)).toEqual({ 200: 1, 412: 49 });
      expect((await api.get(pathOf(credential))).etag).toBe('"v2"');
      expect(await api.events({ subject: credential.id, type: 'credential.updated.v2' })).toHaveLength(1);
    });
  });

  describe('Idempotency-Key', () => {
    it('creates a credential once; the replay has no secret and says so', async () => {
      const body = { name: unique('robot') };
      const idempotencyKey = unique('key');
      const first = await api.post<CredentialBody>(path, body, { idempotencyKey });
      expect(first.status).toBe(201);
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      const again = await other.post<CredentialBody & { notice: string }>(path, body, { idempotencyKey });
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      expect(again.etag).toBe(first.etag);
      const { clientSecret, notice, ...shown } = again.body;
      const { clientSecret: secret, ...made } = first.body;
      expect([clientSecret, shown]).toEqual([null, made]);
      expect(notice).toMatch(/replay/i);
      expect(again.text).not.toContain(secret);
      expect(await api.all<CredentialBody>(path)).toHaveLength(1);
      expect(await api.events({ operationId, type: 'credential.created.v1' })).toHaveLength(1);
    });

    it('answers the replay of a create without secret like the first request, with 201', async () => {
      const idempotencyKey = unique('key');
      const body = { name: unique('operation') };
      const first = await api.post('/v1/operations', body, { idempotencyKey });
      const again = await api.post('/v1/operations', body, { idempotencyKey });
      expect([again.status, again.body, again.etag, again.headers.get('location')]).toEqual([
        201,
        first.body,
        first.etag,
        first.headers.get('location'),
      ]);
    });

    it('is refused with another body (422), and is independent per path and per person', async () => {
      const idempotencyKey = unique('key');
      expect((await api.post(path, { name: 'one' }, { idempotencyKey })).status).toBe(201);
      const reused = await api.post<ProblemBody>(path, { name: 'two' }, { idempotencyKey });
      expect([reused.status, reused.body.type]).toEqual([422, 'urn:latchkey:problem:idempotency-key-reused']);
      const elsewhere = await anOperation(api);
      const created = await api.post(`/v1/operations/${elsewhere.id}/credentials`, { name: 'one' }, { idempotencyKey });
      expect(created.status).toBe(201);
    });

    it('can be used again after a request that failed', async () => {
      const idempotencyKey = unique('key');
      const { key } = await anApi(api);
      const body = { name: 'robot', apis: [key, 'not-there-yet'] };
      expect((await api.post(path, body, { idempotencyKey })).status).toBe(400);
      expect((await api.post(path, { name: 'robot', apis: [key] }, { idempotencyKey })).status).toBe(201);
    });

    it.each(['', ' ', 'a b', 'ä', 'x'.repeat(256)])('is refused with the invalid value %j', async (idempotencyKey) => {
      const headers = { 'idempotency-key': Buffer.from(idempotencyKey, 'utf8').toString('latin1') };
      const answer = await api.post<ProblemBody>(path, { name: 'robot' }, { headers });
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/header/Idempotency-Key']);
      expect(await api.all(path)).toEqual([]);
    });

    it('creates one credential for 50 parallel requests over two instances, with one event and one secret', async () => {
      const body = { name: unique('robot') };
      const idempotencyKey = unique('key');
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          settled(() => (index % 2 === 0 ? api : other).post<CredentialBody>(path, body, { idempotencyKey })),
        ),
      );
      const counts = statuses(answers);
      expect(counts[201]).toBe(1);
      for (const answer of answers.filter(({ status }) => status === 409)) {
        expect((answer.body as unknown as ProblemBody).type).toBe('urn:latchkey:problem:idempotency-key-in-use');
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect((counts[200] ?? 0) + (counts[409] ?? 0)).toBe(49);
      expect(answers.filter(({ body: { clientSecret } }) => typeof clientSecret === 'string')).toHaveLength(1);
      expect(await api.all<CredentialBody>(path)).toHaveLength(1);
      expect(await api.events({ operationId, type: 'credential.created.v1' })).toHaveLength(1);
    });
  });

  describe('limits and unique names under concurrent creates at two instances', () => {
    it('create exactly ten credentials for 100 parallel creates, even if some are aborted midway', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => unique('robot')).map((name, index) =>
          settled(() => (index % 2 === 0 ? api : other).post<CredentialBody>(path, { name })),
        ),
      );
      expect(statuses(answers)).toEqual({ 201: 10, 409: 90 });
      expect(await api.all<CredentialBody>(path)).toHaveLength(10);
      expect(await api.events({ operationId, type: 'credential.created.v1' })).toHaveLength(10);
      expect((await api.get(`/v1/operations/${operationId}`)).body['credentialCount']).toBe(10);
    });

    it('leave at most ten credentials, each with one event, when callers disconnect', async () => {
      await Promise.allSettled(
        Array.from({ length: 60 }, async (_, index) => {
          await fetch(`${services[index % 2]!.url}${path}`, {
            method: 'POST',
            headers: { authorization: authorization(), 'content-type': 'application/json' },
            body: JSON.stringify({ name: unique('robot') }),
            signal: AbortSignal.timeout(5 + index * 3),
          });
        }),
      );
      // whatever is still under way: one more create ends behind it in the chain
      const last = await settled(() => other.post<ProblemBody>(path, { name: unique('last') }));
      expect([201, 409]).toContain(last.status);
      const { items } = (await api.get<PageBody<CredentialBody>>(path)).body;
      expect(items.length).toBeLessThanOrEqual(10);
      const events = await api.events({ operationId, type: 'credential.created.v1' });
      expect(events.map(({ subject }) => subject.id).sort()).toEqual(items.map(({ id }) => id).sort());
      expect((await api.get(`/v1/operations/${operationId}`)).body['credentialCount']).toBe(items.length);
    });

    it('give a name to one of 20 simultaneous creates, in any letter case', async () => {
      const name = unique('name');
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          settled(() =>
            (index % 2 === 0 ? api : other).post(path, { name: index % 3 === 0 ? name.toUpperCase() : name }),
          ),
        ),
      );
      expect(statuses(answers)).toEqual({ 201: 1, 409: 19 });
      expect(await api.events({ operationId, type: 'credential.created.v1' })).toHaveLength(1);
    });
  });
});

function authorization(): string {
  return `Basic ${Buffer.from('admin:correct horse battery staple').toString('base64')}`;
}
