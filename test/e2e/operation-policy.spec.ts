import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_POLICY } from '#kernel';
import type { Answer, OperationBody, ProblemBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf } from '../support/builders.ts';
import { OAuthWorld, makeSecretsOlder } from '../support/oauth-world.ts';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();

type Violations = ProblemBody & {
  readonly violations: readonly { readonly credentialId: string; readonly name: string; readonly rule: string }[];
};

describe('the policy of an operation', () => {
  let world: OAuthWorld;
  let operationId: string;
  let path: string;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());
  beforeEach(async () => {
    operationId = (await anOperation(world.api)).id;
    path = `/v1/operations/${operationId}`;
  });

  const demand = (policy: object, more: object = {}): Promise<Answer<OperationBody>> =>
    world.api.patch<OperationBody>(path, { policy, ...more });
  const create = (body: object): Promise<Answer<ProblemBody>> =>
    world.api.post<ProblemBody>(`${path}/credentials`, { name: `credential ${Math.random()}`, ...body });
  const faultsOf = ({ status, body: { errors } }: Answer<ProblemBody>): unknown => [
    status,
    ...(errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`),
  ];
  /** Allowed IPs that a credential of this test always has, where they do not matter. */
  const narrow = { allowedIps: ['192.0.2.1'] };

  it('is off, is set member by member, and is switched off by null', async () => {
    expect((await world.api.get<OperationBody>(path)).body.policy).toEqual(NO_POLICY);
    const set = await demand({ widestIpv4Prefix: 24, requireOwner: true });
    expect([set.status, set.body.policy]).toEqual([200, { ...NO_POLICY, widestIpv4Prefix: 24, requireOwner: true }]);
    const changed = await demand({ widestIpv4Prefix: null, requireExpiry: true, requireOwner: false });
    expect(changed.body.policy).toEqual({ ...NO_POLICY, requireExpiry: true });
    const [event] = await world.api.events({ operationId, type: 'operation.updated.v2' });
    expect(event?.data).toEqual({ before: { policy: set.body.policy }, after: { policy: changed.body.policy } });
    expect((await demand({ requireExpiry: true })).etag).toBe(changed.etag);
  });

  it.each([
    [{ widestIpv4Prefix: 0 }, '/policy/widestIpv4Prefix'],
    [{ widestIpv4Prefix: 33 }, '/policy/widestIpv4Prefix'],
    [{ widestIpv4Prefix: '24' }, '/policy/widestIpv4Prefix'],
    [{ widestIpv6Prefix: 129 }, '/policy/widestIpv6Prefix'],
    [{ maxSecretAgeDays: 0 }, '/policy/maxSecretAgeDays'],
    [{ maxSecretAgeDays: 1.5 }, '/policy/maxSecretAgeDays'],
    [{ maxCredentialDays: -1 }, '/policy/maxCredentialDays'],
    [{ maxCredentialDays: 1e9 }, '/policy/maxCredentialDays'],
    [{ requireOwner: 'yes' }, '/policy/requireOwner'],
    [{ requireExpiry: 1 }, '/policy/requireExpiry'],
    [{ requireAllowedIps: true }, '/policy/requireAllowedIps'],
    [{ constructor: true }, '/policy/constructor'],
    [[], '/policy'],
    [null, '/policy'],
  ])('refuses %j', async (policy, pointer) => {
    const answer = await world.api.patch<ProblemBody>(path, { policy });
    expect([answer.status, answer.body.errors?.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  it('is for what is written: a credential that is made, and members that are edited', async () => {
    await demand({ requireOwner: true, requireExpiry: true, widestIpv4Prefix: 24, maxCredentialDays: 30 });
    expect(faultsOf(await create({}))).toEqual([
      400,
      '/allowedIps allowed-ips-required',
      '/expiresAt expiry-required',
      '/owner owner-required',
    ]);
    const good = { ...narrow, owner: 'Ada', expiresAt: inDays(29) };
    expect(faultsOf(await create({ ...good, expiresAt: inDays(31) }))).toEqual([400, '/expiresAt expiry-too-far']);
    expect(faultsOf(await create({ ...good, allowedIps: ['10.0.0.0/16'] }))).toEqual([
      400,
      '/allowedIps range-too-wide',
    ]);
    const credential = await aCredential(world.api, operationId, good);
    const edit = (body: object): Promise<Answer<ProblemBody>> => world.api.patch<ProblemBody>(pathOf(credential), body);
    expect(faultsOf(await edit({ owner: null }))).toEqual([400, '/owner owner-required']);
    expect(faultsOf(await edit({ expiresAt: null }))).toEqual([400, '/expiresAt expiry-required']);
    expect(faultsOf(await edit({ allowedIps: [] }))).toEqual([400, '/allowedIps allowed-ips-required']);
    expect((await edit({ description: 'another' })).status).toBe(200);
  });

  it('tells its faults together with those of the body’s form', async () => {
    await demand({ requireOwner: true });
    expect(faultsOf(await create({ tokenTtlSeconds: 1 }))).toEqual([
      400,
      '/tokenTtlSeconds too-small',
      '/owner owner-required',
    ]);
  });

  it('judges ranges by their union', async () => {
    await demand({ widestIpv4Prefix: 24, widestIpv6Prefix: 48 });
    const halves = await create({ allowedIps: ['10.0.0.0/24', '10.0.1.0/24'] });
    expect(faultsOf(halves)).toEqual([400, '/allowedIps range-too-wide']);
    expect((await create({ allowedIps: ['10.0.1.0/24', '10.0.2.0/24'] })).status).toBe(201);
    const halvesOf6 = await create({ allowedIps: ['2001:db8::/48', '2001:db8:1::/48'] });
    expect(faultsOf(halvesOf6)).toEqual([400, '/allowedIps range-too-wide']);
    expect((await create({ allowedIps: ['2001:db8::/48', '10.9.9.0/24'] })).status).toBe(201);
  });

  it('is refused while existing credentials break it, and names them', async () => {
    const wide = await aCredential(world.api, operationId, { allowedIps: ['10.0.0.0/9', '10.128.0.0/9'] });
    const any = await aCredential(world.api, operationId);
    const refused = await world.api.patch<Violations>(path, {
      requireAllowedIps: true,
      policy: { widestIpv4Prefix: 9, requireOwner: true },
    });
    expect([refused.status, refused.body.type]).toEqual([409, 'urn:latchkey:problem:policy-violated']);
    const rules = (id: string): string[] =>
      refused.body.violations.filter(({ credentialId }) => credentialId === id).map(({ rule }) => rule);
    expect(rules(wide.id)).toEqual(['widestIpv4Prefix', 'requireOwner']);
    expect(rules(any.id)).toEqual(['requireAllowedIps', 'widestIpv4Prefix', 'requireOwner']);
    expect((await world.api.get<OperationBody>(path)).etag).toBe('"v1"');
    expect((await demand({ widestIpv4Prefix: 8 })).status).toBe(409); // of the one without addresses
    await world.api.delete(pathOf(any));
    expect((await demand({ widestIpv4Prefix: 8 })).status).toBe(200);
  });

  it('leaves old violators as they are by enforce: "new", and says so in the event', async () => {
    const old = await aCredential(world.api, operationId);
    const set = await demand({ requireOwner: true }, { enforce: 'new' });
    expect(set.status).toBe(200);
    const [event] = await world.api.events({ operationId, type: 'operation.updated.v2' });
    expect(event?.data).toMatchObject({ enforce: 'new', toleratedCredentialIds: [old.id] });
    expect((await world.api.patch(pathOf(old), { description: 'still editable' })).status).toBe(200);
    expect(faultsOf(await create({}))).toEqual([400, '/owner owner-required']);
    expect((await demand({ requireExpiry: true })).status).toBe(409);
  });

  describe('with a maximum age of secrets', () => {
    it('keeps older secrets out, while their tokens stay good and a rotation lets in again', async () => {
      const client = await world.client();
      path = `/v1/operations/${client.operationId}`;
      expect((await demand({ maxSecretAgeDays: 30 })).status).toBe(200);
      const token = await world.tokenOf(client);
      const { secrets } = (await world.api.get<typeof client>(pathOf(client))).body;
      const tooOldAt = new Date(new Date(secrets[0]!.createdAt).getTime() + 30 * DAY_MS).toISOString();
      expect(secrets[0]!.expiresAt).toBe(tooOldAt);

      await makeSecretsOlder(world, client, 30);
      await world.api.patch(pathOf(client), { description: 'so that it is read again' });
      expect((await world.api.token(client)).status).toBe(401);
      const tooOld = await world.apis[1]!.token(client);
      const wrong = await world.apis[1]!.token({ ...client, clientSecret: 'lk_cs_wrong' });
      expect([tooOld.status, tooOld.text]).toEqual([401, wrong.text]);
      expect(tooOld.headers.get('www-authenticate')).toBe(wrong.headers.get('www-authenticate'));
      expect(await world.isActive(token)).toBe(true);
      expect((await world.api.get<typeof client>(pathOf(client))).body.secrets).toEqual([]);
      const rotated = await world.api.post<typeof client>(`${pathOf(client)}/rotate-secret`, { overlapSeconds: 600 });
      expect(rotated.body.secrets).toHaveLength(1);
      expect((await world.api.token(rotated.body)).status).toBe(200);
      expect((await world.api.token(client)).status).toBe(401);
    });

    it('is in force on every instance when it is answered, and so is its end', async () => {
      const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
      path = `/v1/operations/${client.operationId}`;
      await makeSecretsOlder(world, client, 10);
      for (const api of world.apis) expect((await api.token(client)).status).toBe(200);
      const refused = await world.api.patch<Violations>(path, { policy: { maxSecretAgeDays: 9 } });
      expect([refused.status, refused.body.violations]).toEqual([
        409,
        [{ credentialId: client.id, name: client.name, rule: 'maxSecretAgeDays' }],
      ]);
      expect((await demand({ maxSecretAgeDays: 11 })).status).toBe(200);
      for (const api of world.apis) expect((await api.token(client)).status).toBe(200);
      expect((await demand({ maxSecretAgeDays: null })).status).toBe(200);
      for (const api of world.apis) expect((await api.token(client)).status).toBe(200);
    });

    it('exempts secrets that work by enforce: "new", until they are rotated or the age is changed', async () => {
      const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
      path = `/v1/operations/${client.operationId}`;
      await makeSecretsOlder(world, client, 10);
      expect((await demand({ maxSecretAgeDays: 9 }, { enforce: 'new' })).status).toBe(200);
      for (const api of world.apis) expect((await api.token(client)).status).toBe(200);
      expect((await demand({ requireExpiry: true }, { enforce: 'new' })).status).toBe(200);
      expect((await world.api.token(client)).status).toBe(200);
      const refused = await world.api.patch<Violations>(path, { policy: { maxSecretAgeDays: 8 } });
      expect(refused.status).toBe(409);
      const rotated = await world.api.post<typeof client>(`${pathOf(client)}/rotate-secret`, {});
      expect(rotated.body.secrets[0]!.expiresAt).not.toBeNull();
      expect((await demand({ maxSecretAgeDays: 8 })).status).toBe(200);
    });
  });
});
