import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queueConnection, queuePrefix } from '#events';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/** Turns the wall clock of a process: `Date` is all that it has of it. The monotonic clock, which no one sets, stays. */
const turnedClock = (byMs: number): string => `
  const Real = Date;
  globalThis.Date = class Date extends Real {
    constructor(...args) { if (args.length === 0) super(Real.now() + ${byMs}); else super(...args); }
    static now() { return Real.now() + ${byMs}; }
  };`;

/**
 * Three instances: one whose clock is right, two whose clocks are two hours off either way. Only the one that is ahead works the
 * queues, so that only its pruner runs, and only when it is told to.
 */
describe('an instance whose clock is two hours off', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-clock-'));
  let world: OAuthWorld;
  let ahead: Service;
  let behind: Service;
  let apis: Api[];

  beforeAll(async () => {
    world = await OAuthWorld.start(1, { env: { LATCHKEY_ROLE: 'http' } });
    const { database } = world.service;
    const turned = (byMs: number, role: string): Promise<Service> => {
      const file = join(folder, `clock-${role}.mjs`);
      writeFileSync(file, turnedClock(byMs));
      const env = { NODE_OPTIONS: `--import=${pathToFileURL(file).href}`, LATCHKEY_ROLE: role };
      return startService({ database, env });
    };
    ahead = await turned(TWO_HOURS_MS, 'all');
    behind = await turned(-TWO_HOURS_MS, 'http');
    apis = [world.api, new Api(ahead.url), new Api(behind.url)];
  }, 60_000);

  afterAll(async () => {
    await Promise.all([ahead.stop(), behind.stop()]);
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const verdicts = (token: string): Promise<boolean[]> =>
    Promise.all(apis.map(async (api) => (await api.introspect(world.resourceServer, token)).body['active'] === true));

  const tokenFrom = async (api: Api, client: CredentialBody): Promise<string> => {
    const { status, body } = await api.token(client);
    expect(status).toBe(200);
    return body['access_token'] as string;
  };

  /** Lets the pruner of the instance that is ahead run once, and waits for it. */
  async function prune(): Promise<void> {
    const { uri, redisUrl } = world.service.database;
    const queue = new Queue('maintenance', { connection: queueConnection(redisUrl, true), prefix: queuePrefix(uri) });
    const job = await queue.add('prune-tokens', {});
    await eventually(async () => (await job.getState()) === 'completed', 20_000);
    await queue.close();
  }

  it('is really off', () => {
    const off = (service: Service): number => {
      const line = service.log.find(({ msg }) => msg === 'listening');
      return Date.parse(String(line?.['time'])) - Date.now();
    };
    expect(Math.abs(off(ahead) - TWO_HOURS_MS)).toBeLessThan(120_000);
    expect(Math.abs(off(behind) + TWO_HOURS_MS)).toBeLessThan(120_000);
  });

  it('issues tokens that are good everywhere, and whose times are right', async () => {
    for (const api of apis) {
      const client = await world.client({ tokenTtlSeconds: 60 });
      const token = await tokenFrom(api, client);
      expect(await verdicts(token)).toStrictEqual([true, true, true]);
      const { body } = await api.introspect(world.resourceServer, token);
      expect(Math.abs(Number(body['iat']) - Date.now() / 1000)).toBeLessThan(30);
      expect(Number(body['exp']) - Number(body['iat'])).toBe(60);
    }
  });

  it('neither revives nor kills a token: active until it ends, inactive from then on, with no pruner at work', async () => {
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

  it('ends a credential when it ends, not two hours before or after', async () => {
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

  it('prunes what has ended, and no live token', async () => {
    const [living, dead] = [await world.client(), await world.client()];
    const token = await world.tokenOf(living);
    await world.tokenOf(dead);
    const tokens = await world.service.database.collection('tokens');
    // a minute ago: still an hour to go by the clock that is behind, long gone by the one that is ahead
    await tokens.updateMany({ credentialId: dead.id }, { $set: { expiresAt: new Date(Date.now() - 60_000) } });
    await tokens.updateMany({ credentialId: living.id }, { $set: { expiresAt: new Date(Date.now() + 60_000) } });
    await prune();
    expect(await tokens.countDocuments({ credentialId: dead.id })).toBe(0);
    expect(await tokens.countDocuments({ credentialId: living.id })).toBe(1);
    expect(await verdicts(token)).toStrictEqual([true, true, true]);
  });

  it('counts expired tokens of a full credential out, and live ones in', async () => {
    const client = await world.client();
    for (let count = 0; count < 10; count += 1) await tokenFrom(apis[count % 3]!, client);
    for (const api of apis) {
      const refused = await api.token(client);
      expect(refused.status).toBe(429);
      expect(Math.abs(Number(refused.headers.get('retry-after')) - 3_590)).toBeLessThan(60);
    }
  });

  it('dates events by the one clock', async () => {
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
