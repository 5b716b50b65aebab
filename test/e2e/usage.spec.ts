import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { Answer, CredentialBody } from '../support/api.ts';
import { aResourceServer, pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { basicLine, sendRaw } from '../support/raw-http.ts';
import { eventually, startService } from '../support/service.ts';

interface Usage {
  readonly buckets: readonly { readonly issued: number; readonly used: number; readonly refused: number }[];
  readonly addresses: readonly { readonly address: string; readonly count: number }[];
  readonly apis: readonly { readonly api: string; readonly count: number }[];
  readonly secrets: readonly { readonly secretId: string; readonly count: number; readonly live: boolean }[];
  readonly refusals: readonly { readonly reason: string; readonly count: number }[];
  readonly recordedSince: string;
  readonly note: string;
}

describe('the usage of a credential', () => {
  let world: OAuthWorld;
  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  const read = (client: CredentialBody, query = ''): Promise<Answer<Usage>> =>
    world.api.get<Usage>(`${pathOf(client)}/usage${query}`);

  /** Waits until the counts of all instances are written. */
  async function usageOnce(client: CredentialBody, sums: readonly [number, number, number]): Promise<Usage> {
    let body: Usage | undefined;
    await eventually(async () => {
      ({ body } = await read(client, '?bucket=day'));
      const sum = (of: 'issued' | 'used' | 'refused'): number =>
        body!.buckets.reduce((total, bucket) => total + bucket[of], 0);
      const seen = [sum('issued'), sum('used'), sum('refused')];
      if (String(seen) !== String(sums)) throw new Error(`counted ${String(seen)}`);
      return true;
    });
    return body!;
  }

  const forwardAuth = (token: string, api: string, ip?: string): Promise<{ readonly status: number }> =>
    sendRaw(world.url, {
      method: 'GET',
      target: `/oauth2/forward-auth?api=${api}`,
      headers: [
        basicLine(`${world.resourceServer.username}:${world.resourceServer.password}`).replace(
          'Authorization',
          'X-Forward-Auth-Authorization',
        ),
        `Authorization: Bearer ${token}`,
        ...(ip === undefined ? [] : [`X-Forward-Auth-Client-IP: ${ip}`]),
      ],
    });

  it('counts at token requests, introspection and forward-auth, on every instance', async () => {
    const client = await world.client();
    const narrow = await aResourceServer(world.api, [world.keys[0]]);
    const token = await world.tokenOf(client);
    expect(await world.isActive(token, { clientIp: '192.0.2.7', instance: 1 })).toBe(true);
    expect((await world.api.introspect(narrow, token)).body['active']).toBe(true);
    expect((await forwardAuth(token, world.keys[0], '192.0.2.8')).status).toBe(204);
    expect((await forwardAuth(token, 'none')).status).toBe(403);
    expect((await world.api.token({ ...client, clientSecret: 'wrong' })).status).toBe(401);
    expect((await world.api.token(client, 'none')).status).toBe(400);
    const usage = await usageOnce(client, [1, 3, 3]);
    expect(Object.fromEntries(usage.addresses.map(({ address, count }) => [address, count]))).toEqual({
      ...{ '127.0.0.1': 1, '192.0.2.7': 1, '192.0.2.8': 1, unknown: 1 },
    });
    expect(usage.apis.map(({ api, count }) => [api, count])).toEqual([
      [world.keys[0], 3],
      [world.keys[1], 1],
    ]);
    expect(usage.secrets).toMatchObject([{ count: 1, live: true }]);
    expect(Object.fromEntries(usage.refusals.map(({ reason, count }) => [reason, count]))).toEqual({
      ...{ scope: 2, 'wrong-secret': 1 },
    });
    expect(usage.note).toContain('10 seconds');
    expect(Date.parse(usage.recordedSince)).not.toBeNaN();
  });

  it('counts refusals of a genuine token: its address, and its disabled credential', async () => {
    const client = await world.client({ allowedIps: ['127.0.0.1'] });
    const token = await world.tokenOf(client);
    expect(await world.isActive(token, { clientIp: '192.0.2.1' })).toBe(false);
    expect((await forwardAuth(token, world.keys[0], '192.0.2.1')).status).toBe(403);
    await world.api.patch(pathOf(client), { status: 'disabled' });
    expect(await world.isActive(token, { clientIp: '127.0.0.1' })).toBe(false);
    const { refusals } = await usageOnce(client, [1, 0, 3]);
    expect(refusals).toEqual([
      { reason: 'address', count: 2 },
      { reason: 'disabled', count: 1 },
    ]);
  });

  it('counts a client’s question about its own token as a use of no API', async () => {
    const client = await world.client();
    const self = { username: client.clientId, password: client.clientSecret };
    expect((await world.api.introspect(self, await world.tokenOf(client))).body['active']).toBe(true);
    expect((await usageOnce(client, [1, 1, 0])).apis).toEqual([]);
  });

  it('keeps the counts through a shutdown', async () => {
    const client = await world.client();
    await world.tokenOf(client);
    const token = await world.tokenOf(client);
    const third = await startService({ database: world.service.database });
    const asked = await new Api(third.url).introspect(world.resourceServer, token);
    expect(asked.body['active']).toBe(true);
    expect(await third.stop('SIGTERM')).toBe(0);
    await usageOnce(client, [2, 1, 0]);
  });

  it('does not count unknown clients, so that their number takes no memory', async () => {
    const counters = async (): Promise<string | undefined> =>
      /^latchkey_usage_counters (\d+)/m.exec(await (await fetch(`${world.url}/metrics`)).text())?.[1];
    const before = await counters();
    const signIns = Array.from({ length: 200 }, (_, at) =>
      world.api.token({ clientId: `lk_ci_${String(at).padStart(24, '0')}`, clientSecret: 'wrong' }),
    );
    for (const { status } of await Promise.all(signIns)) expect(status).toBe(401);
    const client = await world.client();
    await world.tokenOf(client);
    await usageOnce(client, [1, 0, 0]);
    expect(Number(await counters())).toBeLessThan(Number(before) + 20);
  });

  it.each([
    ['?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z', '/query/from', 'before'],
    ['?from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z', '/query/from', '90 days'],
    ['?from=yesterday', '/query/from', 'RFC 3339'],
    ['?bucket=week', '/query/bucket', 'hour or day'],
  ])('refuses %s', async (query, pointer, message) => {
    const answer = await world.api.get<{ errors: readonly { pointer: string; message: string }[] }>(
      `${pathOf(await world.client())}/usage${query}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toMatchObject([{ pointer, message: expect.stringContaining(message) as unknown }]);
  });

  it('is 404 for an unknown credential', async () => {
    const client = await world.client();
    expect((await world.api.get(`${pathOf({ ...client, id: 'cr_none' })}/usage`)).status).toBe(404);
  });
});
