import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, CredentialBody, OperationBody, SecretBody } from '../support/api.ts';
import { aResourceServer, pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { basicLine, sendRaw } from '../support/raw-http.ts';

/** Enough for the header to be remembered, and to be let in from memory. */
const SIGN_INS = 4;

/** docs/adr/0057-remembered-sign-ins.md: a header counts only while its record is proven. */
describe('a remembered Authorization header, with two instances', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  /** The status of a sign-in at the second instance, which made none of the changes. */
  const signIn = async (client: CredentialBody): Promise<number> =>
    (await world.apis[1]!.revoke(client, 'no token')).status;
  const secretsOf = (path: string): Promise<Answer<{ readonly items: readonly SecretBody[] }>> =>
    world.api.get(`${path}/secrets`);

  const endings: readonly [string, (client: CredentialBody) => Promise<Answer<object>>][] = [
    ['its credential is deleted', (client) => world.api.delete(pathOf(client))],
    ['its credential is disabled', (client) => world.api.patch(pathOf(client), { status: 'disabled' })],
    [
      'its operation is suspended',
      ({ operationId }) => world.api.patch<OperationBody>(`/v1/operations/${operationId}`, { status: 'suspended' }),
    ],
    ['its secret is rotated without an overlap', (client) => rotated(client, { overlapSeconds: 0 })],
    ['its secrets are compromised', (client) => rotated(client, { compromised: true })],
    [
      'its secret is ended after a rotation',
      async (client) => {
        await rotated(client, { overlapSeconds: 3600 });
        expect(await signIn(client)).toBe(200);
        const { items } = (await secretsOf(pathOf(client))).body;
        const replaced = items.find(({ current }) => current !== true);
        return world.api.delete(`${pathOf(client)}/secrets/${replaced?.id ?? ''}`);
      },
    ],
  ];

  const rotated = (client: CredentialBody, body: object): Promise<Answer<object>> =>
    world.api.post(`${pathOf(client)}/rotate-secret`, body, { ifMatch: '*' });

  it.each(endings)('is refused on the other instance when %s', async (_what, end) => {
    const client = await world.client();
    for (let count = 0; count < SIGN_INS; count += 1) expect(await signIn(client)).toBe(200);
    const { status, text } = await end(client);
    expect([status < 300, text]).toEqual([true, text]);
    expect(await signIn(client)).toBe(401);
  });

  it('is refused with a change in a single character, and with a second header', async () => {
    const client = await world.client();
    const pair = `${client.clientId}:${client.clientSecret}`;
    const revoke = async (headers: readonly string[]): Promise<number> =>
      (await world.form('/oauth2/revoke', headers, 'token=none')).status;
    for (let count = 0; count < SIGN_INS; count += 1) expect(await revoke([basicLine(pair)])).toBe(200);
    expect(await revoke([basicLine(`${pair}x`)])).toBe(401);
    expect(await revoke([basicLine(pair), basicLine(pair)])).toBe(400);
    expect((await world.form('/oauth2/revoke', pair, 'token=none&client_secret=x')).status).toBe(400);
    expect((await world.form('/oauth2/revoke', pair, 'token=none&client_id=another')).status).toBe(400);
    expect(await revoke([basicLine(pair)])).toBe(200);
  });

  it('of a gateway is refused on the other instance when its resource server is deleted', async () => {
    const { id, username, password } = await aResourceServer(world.api, world.keys);
    const token = await world.tokenOf(await world.client());
    const gateway = basicLine(`${username}:${password}`).replace('Authorization', 'X-Forward-Auth-Authorization');
    const headers = [gateway, `Authorization: Bearer ${token}`];
    const target = `/oauth2/forward-auth?api=${world.keys[0]}`;
    const ask = async (): Promise<number> =>
      (await sendRaw(world.services[1]!.url, { method: 'GET', target, headers })).status;
    for (let count = 0; count < SIGN_INS; count += 1) expect(await ask()).toBe(204);
    expect((await world.api.delete(`/v1/resource-servers/${id}`)).status).toBe(204);
    expect(await ask()).toBe(503);
  });
});
