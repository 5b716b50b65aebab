import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { wrongClock } from '../support/clock.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/**
 * What clients see of three instances: one whose clock is right, two whose clocks are two hours off either way. What
 * such an instance does to the store and the queues is in test/faults/clocks.spec.ts.
 */
describe('instances whose clocks are two hours off', () => {
  let world: OAuthWorld;
  let ahead: Service;
  let behind: Service;
  let apis: Api[];

  beforeAll(async () => {
    world = await OAuthWorld.start(1, { env: { LATCHKEY_ROLE: 'http' } });
    const { database } = world.service;
    const turned = (byMs: number): Promise<Service> =>
      startService({ database, env: { ...wrongClock({ byMs }), LATCHKEY_ROLE: 'http' } });
    ahead = await turned(TWO_HOURS_MS);
    behind = await turned(-TWO_HOURS_MS);
    apis = [world.api, new Api(ahead.url), new Api(behind.url)];
  }, 60_000);

  afterAll(async () => {
    await Promise.all([ahead.stop(), behind.stop()]);
    await world.stop();
  });

  const verdicts = (token: string): Promise<boolean[]> =>
    Promise.all(apis.map(async (api) => (await api.introspect(world.resourceServer, token)).body['active'] === true));

  const tokenFrom = async (api: Api, client: CredentialBody): Promise<string> => {
    const { status, body } = await api.token(client);
    expect(status).toBe(200);
    return body['access_token'] as string;
  };

  it('really have wrong clocks', () => {
    const off = (service: Service): number => {
      const line = service.log.find(({ msg }) => msg === 'listening');
      return Date.parse(String(line?.['time'])) - Date.now();
    };
    expect(Math.abs(off(ahead) - TWO_HOURS_MS)).toBeLessThan(120_000);
    expect(Math.abs(off(behind) + TWO_HOURS_MS)).toBeLessThan(120_000);
  });

  it('issue tokens that are valid everywhere, with correct times', async () => {
    for (const api of apis) {
      const client = await world.client({ tokenTtlSeconds: 60 });
      const token = await tokenFrom(api, client);
      expect(await verdicts(token)).toStrictEqual([true, true, true]);
      const { body } = await api.introspect(world.resourceServer, token);
      expect(Math.abs(Number(body['iat']) - Date.now() / 1000)).toBeLessThan(30);
      expect(Number(body['exp']) - Number(body['iat'])).toBe(60);
    }
  });

  it('keep a token active exactly until it expires, without a pruner', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    const tokens = await world.service.database.collection('tokens');
    const endsAt = Date.now() + 3_000;
    await tokens.updateMany({ credentialId: client.id }, { $set: { expiresAt: new Date(endsAt) } });
    await pause(400); // the lease: this edit was made behind the service's back
    while (Date.now() < endsAt - 700) {
      expect(await verdicts(token)).toStrictEqual([true, true, true]);
      await pause(50);
    }
    await pause(endsAt + 700 - Date.now());
    expect(await verdicts(token)).toStrictEqual([false, false, false]);
    expect(await tokens.countDocuments({ credentialId: client.id })).toBe(1);
  });

  it('end a credential at its expiry, not two hours before or after', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    const endsAt = Date.now() + 3_000;
    const edited = await world.api.patch(pathOf(client), { expiresAt: new Date(endsAt).toISOString() });
    expect(edited.status).toBe(200);
    expect(await verdicts(token)).toStrictEqual([true, true, true]);
    await pause(endsAt + 700 - Date.now());
    expect(await verdicts(token)).toStrictEqual([false, false, false]);
    for (const api of apis) expect((await api.token(client)).status).toBe(401);
  });

  it('count live tokens, and report the first expiry, by the store’s clock', async () => {
    const client = await world.client();
    for (let count = 0; count < 10; count += 1) await tokenFrom(apis[count % 3]!, client);
    for (const api of apis) {
      const refused = await api.token(client);
      expect(refused.status).toBe(429);
      expect(Math.abs(Number(refused.headers.get('retry-after')) - 3_590)).toBeLessThan(60);
    }
  });

  it('date events by the store’s clock', async () => {
    const client = await world.client();
    await tokenFrom(apis[1]!, client);
    await tokenFrom(apis[2]!, client);
    const { body } = await world.api.get<{ items: { at: string }[] }>(
      `/v1/events?subject=${client.id}&type=token.issued.v1`,
    );
    expect(body.items).toHaveLength(2);
    for (const { at } of body.items) expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(30_000);
  });
});
