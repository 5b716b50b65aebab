import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { latchkey } from '../support/latchkey.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';
import type { LogLine } from '../support/service.ts';

/** More than a lease: what is still accepted now is accepted because its rights version says so. In milliseconds. */
const PAST_THE_LEASE_MS = 400;

/** A new token that the instance has remembered for longer than a lease. */
async function remembered(world: OAuthWorld, client: CredentialBody, instance = 0): Promise<string> {
  const token = await world.tokenOf(client);
  for (let count = 0; count < 8; count += 1) {
    expect(await world.isActive(token, { instance })).toBe(true);
    await pause(PAST_THE_LEASE_MS / 8);
  }
  return token;
}

/** docs/adr/0003-the-lease.md: what is remembered lives as long as the rights version of its operation. */
describe('the rights version, with two instances', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  const isActive = (token: string, instance: number): Promise<boolean> => world.isActive(token, { instance });

  it('makes an evicted token inactive everywhere once the client has revoked it', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const first = await remembered(world, client, 1);
    for (let count = 0; count < 10; count += 1) await world.tokenOf(client);
    expect((await world.api.revoke(client, first)).status).toBe(200);
    expect(await isActive(first, 1)).toBe(false);
  });

  it('makes an evicted token inactive everywhere after a lease, without a revocation', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const first = await remembered(world, client, 1);
    for (let count = 0; count < 10; count += 1) await world.tokenOf(client);
    await pause(PAST_THE_LEASE_MS);
    expect(await isActive(first, 1)).toBe(false);
  });

  it('still applies an eviction after the policy changed', async () => {
    const client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    const first = await remembered(world, client, 1);
    for (let count = 0; count < 10; count += 1) await world.tokenOf(client);
    expect((await world.api.patch(pathOf(client), { tokenLimitPolicy: 'reject' })).status).toBe(200);
    expect(await isActive(first, 1)).toBe(false);
  });

  it('makes a newly granted API visible on the other instance', async () => {
    const client = await world.client({ apis: [world.keys[0]] });
    const token = await remembered(world, client, 1);
    await world.api.put(`${pathOf(client)}/apis`, { apis: [] });
    expect(await isActive(token, 1)).toBe(false);
    await world.api.put(`${pathOf(client)}/apis`, { apis: [world.keys[0]] });
    expect(await isActive(token, 1)).toBe(true);
  });

  it('makes a new token, and the token of a new credential, valid on the other instance immediately', async () => {
    const client = await world.client();
    expect(await isActive(await world.tokenOf(client), 1)).toBe(true);
    expect(await isActive(await world.tokenOf(client), 1)).toBe(true);
  });

  it('answers 404 to a repeated DELETE only when the deletion is in force everywhere', async () => {
    const client = await world.client();
    const token = await remembered(world, client, 1);
    const [first, second] = await Promise.all([
      world.api.delete(pathOf(client)),
      // while the first waits for the lease, it has committed
      pause(100).then(async () => {
        const answer = await world.apis[1]!.delete(pathOf(client));
        return { ...answer, active: await isActive(token, 1) };
      }),
    ]);
    expect(first.status).toBe(204);
    expect({ status: second.status, active: second.active }).toEqual({ status: 404, active: false });
  });

  it('applies a deletion by hand after touch-rights', async () => {
    const client = await world.client();
    const token = await remembered(world, client, 1);
    const tokens = await world.service.database.collection('tokens');
    await tokens.deleteMany({ clientId: client.clientId });
    const env = { MONGODB_URI: world.service.database.uri };
    expect(await latchkey(['touch-rights', client.operationId], env)).toMatchObject({ status: 0, stderr: '' });
    expect(await isActive(token, 1)).toBe(false);
    expect((await latchkey(['touch-rights', 'op_unknown'], env)).status).toBe(1);
    expect((await latchkey(['touch-rights'], env)).status).toBe(64);
  });
});

describe('the audit of cached rights', () => {
  it('detects a deletion by hand, clears the cache, and stops using rights versions', async () => {
    const world = await OAuthWorld.start(1);
    try {
      const client = await world.client();
      const other = await world.tokenOf(client);
      const isTold = ({ msg }: LogLine): boolean => msg?.includes('without their rights version') === true;
      const tokens = await world.service.database.collection('tokens');
      await eventually(async () => {
        const deleted = await remembered(world, client);
        await tokens.deleteMany({ clientId: client.clientId, slot: { $gt: 0 } });
        await eventually(async () => !(await world.isActive(deleted)));
        // where it took long to ask, the lease alone had kept the token: then the audit has nothing to find
        return world.service.log.some(isTold);
      });
      expect(await world.isActive(other)).toBe(true);
      expect(world.service.log.filter(isTold)).toHaveLength(1);
      const metrics = await (await fetch(`${world.url}/metrics`)).text();
      expect(metrics).toMatch(/^latchkey_rights_differing_total [1-9]/m);
      // from now on by the lease alone: nobody has to touch anything
      await tokens.deleteMany({ clientId: client.clientId });
      await pause(PAST_THE_LEASE_MS);
      expect(await world.isActive(other)).toBe(false);
    } finally {
      await world.stop();
    }
  });

  it('is not needed with LATCHKEY_RIGHTS_VERSION=off: the cache expires with the lease', async () => {
    const world = await OAuthWorld.start(1, { env: { LATCHKEY_RIGHTS_VERSION: 'off' } });
    try {
      const client = await world.client();
      const token = await world.tokenOf(client);
      expect(await world.isActive(token)).toBe(true);
      await (await world.service.database.collection('tokens')).deleteMany({ clientId: client.clientId });
      await pause(PAST_THE_LEASE_MS);
      expect(await world.isActive(token)).toBe(false);
    } finally {
      await world.stop();
    }
  });
});
