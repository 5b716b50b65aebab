import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, ProblemBody, SecretBody } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { startServices } from '../support/service.ts';
import type { Service } from '../support/service.ts';

/** A credential or a resource server: what both have in common as to their secrets. */
interface SecretHolder {
  readonly id: string;
  readonly secrets: readonly SecretBody[];
  readonly [secret: string]: unknown;
}

interface InProgress extends ProblemBody {
  readonly secrets?: readonly SecretBody[];
}

describe('rotating secrets', () => {
  let services: Service[];
  let api: Api;
  let other: Api;

  beforeAll(async () => {
    services = await startServices(2);
    [api, other] = services.map(({ url }) => new Api(url)) as [Api, Api];
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await services[0]!.database.drop();
  });

  const kinds = [
    {
      kind: 'a credential',
      member: 'clientSecret',
      events: 'credential',
      make: async () => {
        const { key } = await anApi(api);
        const made = await aCredential(api, (await anOperation(api)).id, { apis: [key] });
        return { path: pathOf(made), id: made.id, user: made.clientId, secret: made.clientSecret };
      },
      signsIn: async (user: string, secret: string) =>
        (await other.token({ clientId: user, clientSecret: secret })).status === 200,
    },
    {
      kind: 'a resource server',
      member: 'resourceServerSecret',
      events: 'resource-server',
      make: async () => {
        const { key } = await anApi(api);
        const { id, password } = await aResourceServer(api, [key]);
        return { path: `/v1/resource-servers/${id}`, id, user: id, secret: password };
      },
      signsIn: async (user: string, secret: string) =>
        (await other.introspect({ username: user, password: secret }, 'rubbish')).status === 200,
    },
  ] as const;

  describe.each(kinds)('of $kind', ({ member, events, make, signsIn }) => {
    let path: string;
    let id: string;
    let user: string;
    let first: string;

    beforeEach(async () => {
      ({ path, id, user, secret: first } = await make());
    });

    const rotate = (body: object = {}, call: object = {}): Promise<Answer<SecretHolder & InProgress>> =>
      api.post<SecretHolder & InProgress>(`${path}/rotate-secret`, body, call);
    const secretOf = ({ body }: Answer<SecretHolder>): string => body[member] as string;
    const listed = async (): Promise<Answer<{ items: SecretBody[] }>> => api.get(`${path}/secrets`);

    it('refuses a second rotation while two secrets are live: 409 with both and their last use, and changes nothing', async () => {
      const second = await rotate({ overlapSeconds: 600 });
      expect(await signsIn(user, first)).toBe(true);
      const before = await api.get(path);
      for (const body of [{}, { overlapSeconds: 60 }, { endOldest: false }]) {
        const refused = await rotate(body);
        expect([refused.status, refused.body.type]).toEqual([409, 'urn:latchkey:problem:rotation-in-progress']);
        expect(refused.body.secrets).toEqual((await listed()).body.items);
        expect(refused.body.secrets).toMatchObject([
          { current: true, expiresAt: null, lastUsedAt: null },
          { current: false, expiresAt: expect.any(String), lastUsedAt: expect.any(String) },
        ]);
      }
      expect((await api.get(path)).etag).toBe(before.etag);
      for (const secret of [first, secretOf(second)]) expect(await signsIn(user, secret)).toBe(true);
      expect(await api.events({ subject: id, type: `${events}.secret-rotated.v2` })).toHaveLength(1);
    });

    it('ends the older secret with endOldest, and the current one keeps working during the overlap', async () => {
      const second = await rotate({ overlapSeconds: 600 });
      const third = await rotate({ overlapSeconds: 600, endOldest: true });
      expect(third.status).toBe(200);
      expect(third.body.secrets.map(({ id: each }) => each)).toContain(second.body.secrets[0]!.id);
      expect(await signsIn(user, first)).toBe(false);
      for (const secret of [secretOf(second), secretOf(third)]) expect(await signsIn(user, secret)).toBe(true);
      const [event] = await api.events({ subject: id, type: `${events}.secret-rotated.v2` });
      expect(event?.data).toEqual({
        secretId: third.body.secrets[0]!.id,
        previousSecretId: second.body.secrets[0]!.id,
        previousEndsAt: third.body.secrets[1]!.expiresAt,
        endedSecretIds: [second.body.secrets[1]!.id],
        compromised: false,
      });
    });

    it('ends both secrets with compromised, regardless of other members', async () => {
      const second = await rotate({ overlapSeconds: 600 });
      const third = await rotate({ overlapSeconds: 600, compromised: true });
      expect([third.status, third.body.secrets.length]).toEqual([200, 1]);
      for (const secret of [first, secretOf(second)]) expect(await signsIn(user, secret)).toBe(false);
      expect(await signsIn(user, secretOf(third))).toBe(true);
    });

    it('accepts an Idempotency-Key: a replay rotates nothing, has no secret and says so', async () => {
      const idempotencyKey = unique('key');
      const done = await rotate({ overlapSeconds: 60 }, { idempotencyKey });
      expect(done.status).toBe(200);
      const again = await other.post<SecretHolder>(`${path}/rotate-secret`, { overlapSeconds: 60 }, { idempotencyKey });
      expect([again.status, again.headers.get('idempotency-replayed'), again.body[member]]).toEqual([
        200,
        'true',
        null,
      ]);
      expect(again.body['notice']).toMatch(/replay/i);
      expect(again.headers.get('location')).toBeNull();
      expect([again.etag, again.body.secrets]).toEqual([done.etag, done.body.secrets]);
      expect((await rotate({ overlapSeconds: 61 }, { idempotencyKey })).status).toBe(422);
      expect(await api.events({ subject: id, type: `${events}.secret-rotated.v2` })).toHaveLength(1);
    });

    it('answers a replay only when the rotation is in force everywhere, even if the first answer was lost', async () => {
      // every instance remembers the first secret; then the caller of the rotation hangs up and asks the other instance
      // again
      for (const each of [api, other]) {
        expect((await each.introspect({ username: user, password: first }, 'rubbish')).status).toBe(200);
      }
      const idempotencyKey = unique('key');
      const hangUp = new AbortController();
      const lost = fetch(`${api.url}${path}/rotate-secret`, {
        method: 'POST',
        signal: hangUp.signal,
        headers: { ...api.headers, 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        body: '{"compromised":true}',
      }).catch(() => undefined);
      let replay = await other.post(`${path}/rotate-secret`, { compromised: true }, { idempotencyKey });
      for (let turn = 0; replay.status === 409 && turn < 200; turn += 1) {
        replay = await other.post(`${path}/rotate-secret`, { compromised: true }, { idempotencyKey });
      }
      hangUp.abort();
      await lost;
      expect(replay.status).toBe(200);
      for (const each of [other, api]) {
        expect((await each.introspect({ username: user, password: first }, 'rubbish')).status).toBe(401);
      }
    });

    describe('of one secret', () => {
      it('lists the live secrets, the current one first, with the ETag of their owner', async () => {
        const one = await listed();
        expect([one.status, one.etag]).toEqual([200, '"v1"']);
        expect(one.body).toEqual({
          items: [
            { id: expect.any(String), createdAt: expect.any(String), expiresAt: null, lastUsedAt: null, current: true },
          ],
        });
        const second = await rotate({ overlapSeconds: 60 });
        const two = await listed();
        const [current, older] = second.body.secrets;
        expect([two.etag, two.body.items]).toEqual([
          second.etag,
          [
            { ...current, current: true },
            { ...older, current: false },
          ],
        ]);
        expect((await api.get('/v1/operations/op_unknown/credentials/cr_unknown/secrets')).status).toBe(404);
        expect((await api.get('/v1/resource-servers/rs_unknown/secrets')).status).toBe(404);
      });

      it('ends the older one: it is refused everywhere, the current one still works, with one event', async () => {
        const second = await rotate({ overlapSeconds: 600 });
        const [current, older] = second.body.secrets;
        expect(await signsIn(user, first)).toBe(true);
        const ended = await api.delete(`${path}/secrets/${older!.id}`, { ifMatch: second.etag });
        expect([ended.status, ended.text]).toEqual([204, '']);
        expect(await signsIn(user, first)).toBe(false);
        expect(await signsIn(user, secretOf(second))).toBe(true);
        expect((await listed()).body.items.map(({ id: each }) => each)).toEqual([current!.id]);
        const told = await api.events({ subject: id, type: `${events}.secret-ended.v1` });
        expect(told.map(({ data }) => data)).toEqual([
          { secretId: older!.id, remainingSecretId: current!.id, remainingEndsAt: null },
        ]);
      });

      it('ends the current one: the older one becomes current and keeps its announced end', async () => {
        const second = await rotate({ overlapSeconds: 600 });
        const [current, older] = second.body.secrets;
        expect((await api.delete(`${path}/secrets/${current!.id}`)).status).toBe(204);
        expect(await signsIn(user, secretOf(second))).toBe(false);
        expect(await signsIn(user, first)).toBe(true);
        expect((await listed()).body.items).toMatchObject([
          { id: older!.id, expiresAt: older!.expiresAt, current: true },
        ]);
        const third = await rotate({ overlapSeconds: 900 });
        expect(third.body.secrets).toHaveLength(2);
        expect(await signsIn(user, first)).toBe(true);
      });

      it('refuses to end the last one (409) or an unknown one (404), and requires If-Match', async () => {
        const [only] = (await listed()).body.items;
        const last = await api.delete<ProblemBody>(`${path}/secrets/${only!.id}`);
        expect([last.status, last.body.type]).toEqual([409, 'urn:latchkey:problem:last-secret']);
        expect((await api.delete(`${path}/secrets/se_unknown`)).status).toBe(404);
        await rotate({ overlapSeconds: 600 });
        const unconditional = await api.call('DELETE', `${path}/secrets/${only!.id}`);
        expect(unconditional.status).toBe(428);
        expect((await api.delete(`${path}/secrets/${only!.id}`, { ifMatch: '"v1"' })).status).toBe(412);
        expect((await api.delete(`${path}/secrets/${only!.id}`)).status).toBe(204);
        expect((await api.delete(`${path}/secrets/${only!.id}`)).status).toBe(404);
      });

      it('accepts one of two requests that end one secret each at the same time', async () => {
        const second = await rotate({ overlapSeconds: 600 });
        const answers = await Promise.all(
          second.body.secrets.map((secret, index) =>
            (index === 0 ? api : other).delete<ProblemBody>(`${path}/secrets/${secret.id}`),
          ),
        );
        expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
        expect((await listed()).body.items).toHaveLength(1);
      });
    });
  });

  it('leaves the credential’s tokens live when one of its secrets ends', async () => {
    const { key } = await anApi(api);
    const credential = await aCredential(api, (await anOperation(api)).id, { apis: [key] });
    const server = await aResourceServer(api, [key]);
    const { body } = await api.token(credential);
    await api.post(`${pathOf(credential)}/rotate-secret`, { overlapSeconds: 600 });
    expect((await api.delete(`${pathOf(credential)}/secrets/${credential.secrets[0]!.id}`)).status).toBe(204);
    expect((await other.introspect(server, body['access_token'] as string)).body['active']).toBe(true);
  });

  it('shows clientSecret right after clientId', async () => {
    const { id: operationId } = await anOperation(api);
    const made = await api.post(`/v1/operations/${operationId}/credentials`, { name: unique('robot') });
    const rotated = await api.post(
      `/v1/operations/${operationId}/credentials/${made.body['id'] as string}/rotate-secret`,
    );
    for (const { body } of [made, rotated]) {
      const names = Object.keys(body);
      expect(names[names.indexOf('clientId') + 1]).toBe('clientSecret');
    }
  });
});
