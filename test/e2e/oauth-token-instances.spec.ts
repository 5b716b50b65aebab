import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import type { Answer, CredentialBody } from '../support/api.ts';
import { aCredential, pathOf } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';

const LIMIT = 10;

/** An instance remembers what it issued. Whatever is done elsewhere meanwhile must count all the same. */
describe('issuing at one instance after a change at another', () => {
  let world: OAuthWorld;
  let client: CredentialBody;
  let neighbour: CredentialBody;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  beforeEach(async () => {
    client = await world.client({ name: 'client' });
    neighbour = await aCredential(world.api, client.operationId, { name: 'neighbour', apis: world.keys });
    for (const each of [client, neighbour, client]) expect((await here(each)).status).toBe(200);
  });
  afterEach(async () => {
    expect((await here(neighbour)).status).toBe(200);
    await settled(world.service.database);
    expect(await disagreements(world.service.database)).toEqual([]);
  });
  afterAll(() => world.stop());

  const here = (each: CredentialBody): Promise<Answer> => world.apis[0]!.token(each);
  const there = (): OAuthWorld['api'] => world.apis[1]!;
  const fill = async (): Promise<string[]> => {
    const tokens: string[] = [];
    for (let answer = await here(client); answer.status === 200; answer = await here(client))
      tokens.push(answer.body['access_token'] as string);
    return tokens;
  };

  it('uses the slot of a token that was revoked there', async () => {
    const [token] = await fill();
    expect((await there().revoke(client, token!)).status).toBe(200);
    expect(await fill()).toHaveLength(1);
  });

  it('uses the slot of a token that was revoked there, and evicts no other', async () => {
    await world.api.patch(pathOf(client), { tokenLimitPolicy: 'evict_oldest' });
    const tokens: string[] = [];
    for (let count = 2; count < LIMIT; count += 1) tokens.push(await world.tokenOf(client));
    expect((await there().revoke(client, tokens[3]!)).status).toBe(200);
    expect((await here(client)).status).toBe(200);
    const [event] = await world.api.events({ type: 'token.issued.v1', subject: client.id });
    expect(event?.data).not.toHaveProperty('evictedTokenId');
    expect((await here(client)).status).toBe(200);
    const [next] = await world.api.events({ type: 'token.issued.v1', subject: client.id });
    expect(next?.data).toHaveProperty('evictedTokenId');
  });

  it('uses the slots of tokens that were all revoked there', async () => {
    await fill();
    expect((await there().delete(`${pathOf(client)}/tokens`)).status).toBe(204);
    expect(await fill()).toHaveLength(LIMIT);
  });

  it('does not use slots that were taken there', async () => {
    for (let count = 0; count < 3; count += 1) expect((await there().token(client)).status).toBe(200);
    expect(await fill()).toHaveLength(LIMIT - 5);
    expect((await there().token(client)).status).toBe(429);
  });

  it('applies an edit that was made there', async () => {
    await there().patch(pathOf(client), { apis: [world.keys[1]], tokenTtlSeconds: 120 });
    expect((await here(client)).body).toMatchObject({ scope: world.keys[1], expires_in: 120 });
  });

  it('issues nothing while the credential is disabled there, and again once it is enabled', async () => {
    await there().patch(pathOf(client), { status: 'disabled' });
    expect((await here(client)).status).toBe(401);
    await there().patch(pathOf(client), { status: 'active' });
    expect((await here(client)).status).toBe(200);
  });

  it('issues nothing after the credential was deleted there', async () => {
    expect((await there().delete(pathOf(client))).status).toBe(204);
    expect((await here(client)).status).toBe(401);
  });

  it('issues nothing for an old secret that was reported as compromised there', async () => {
    const rotated = await there().post<CredentialBody>(`${pathOf(client)}/rotate-secret`, { compromised: true });
    expect((await here(client)).status).toBe(401);
    client = { ...client, clientSecret: rotated.body.clientSecret };
    expect(await fill()).toHaveLength(LIMIT);
  });

  it('records the last use of each of two secrets', async () => {
    const rotated = await there().post<CredentialBody>(`${pathOf(client)}/rotate-secret`, { overlapSeconds: 600 });
    expect((await here({ ...client, clientSecret: rotated.body.clientSecret })).status).toBe(200);
    const { body } = await there().get<{ secrets: { lastUsedAt: string | null }[] }>(pathOf(client));
    expect(body.secrets.map(({ lastUsedAt }) => lastUsedAt)).toEqual([expect.any(String), expect.any(String)]);
  });
});
