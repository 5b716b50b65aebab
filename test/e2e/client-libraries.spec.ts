import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import simpleOAuth2 from 'simple-oauth2';
import type { ClientCredentialsGrant } from 'simple-oauth2';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { freePort } from '../../tools/local-stores/ports.ts';
import { OAuthWorld } from '../support/oauth-world.ts';

/** Client libraries that others wrote, as they are: each gets, asks about and ends a token. */
let world: OAuthWorld;
let client: CredentialBody;

beforeAll(async () => {
  const port = String(await freePort());
  world = await OAuthWorld.start(1, { env: { PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}` } });
  client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
});

afterAll(() => world.stop());

describe('openid-client', () => {
  const discover = (id: string, secret: string): Promise<openid.Configuration> =>
    openid.discovery(new URL(world.url), id, undefined, openid.ClientSecretBasic(secret), {
      algorithm: 'oauth2',
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- the test speaks plain HTTP to itself
      execute: [openid.allowInsecureRequests],
    });

  it('finds everything by the metadata, gets a token, asks about it and ends it', async () => {
    const config = await discover(client.clientId, client.clientSecret);
    const { username, password } = world.resourceServer;
    const server = await discover(username, password);
    const token = await openid.clientCredentialsGrant(config);
    // the library lower-cases the type
    expect(token).toMatchObject({ token_type: 'bearer', scope: world.keys.join(' '), expires_in: 3600 });
    expect(token.expiresIn()).toBeGreaterThan(3_590);
    for (const asker of [server, config]) {
      expect(await openid.tokenIntrospection(asker, token.access_token)).toMatchObject({
        active: true,
        client_id: client.clientId,
        iss: world.url,
      });
    }
    await openid.tokenRevocation(config, token.access_token);
    expect(await openid.tokenIntrospection(server, token.access_token)).toStrictEqual({ active: false });
    await openid.tokenRevocation(config, token.access_token);
  });

  it('asks for a scope', async () => {
    const config = await discover(client.clientId, client.clientSecret);
    expect((await openid.clientCredentialsGrant(config, { scope: world.keys[1] })).scope).toBe(world.keys[1]);
    await expect(openid.clientCredentialsGrant(config, { scope: 'no-such' })).rejects.toMatchObject({
      error: 'invalid_scope',
      status: 400,
    });
  });

  it('reports a wrong secret and a deleted credential', async () => {
    const wrong = await discover(client.clientId, world.resourceServer.password);
    await expect(openid.clientCredentialsGrant(wrong)).rejects.toMatchObject({ status: 401 });
    const deleted = await world.client();
    const config = await discover(deleted.clientId, deleted.clientSecret);
    await openid.clientCredentialsGrant(config);
    await world.api.delete(pathOf(deleted));
    await expect(openid.clientCredentialsGrant(config)).rejects.toMatchObject({ status: 401 });
  });
});

describe('oauth4webapi', () => {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only marked so; the test speaks plain HTTP to itself
  const insecure = { [oauth.allowInsecureRequests]: true };

  it('finds everything by the metadata, gets a token, asks about it and ends it', async () => {
    const issuer = new URL(world.url);
    const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, response);
    const self = { client_id: client.clientId };
    const auth = oauth.ClientSecretBasic(client.clientSecret);
    const asked = new URLSearchParams({ scope: world.keys[0] });
    const granted = await oauth.clientCredentialsGrantRequest(server, self, auth, asked, insecure);
    const token = await oauth.processClientCredentialsResponse(server, self, granted);
    expect(token).toMatchObject({ token_type: 'bearer', scope: world.keys[0], expires_in: 3600 });

    const asker = { client_id: world.resourceServer.username };
    const askerAuth = oauth.ClientSecretBasic(world.resourceServer.password);
    const introspect = async (): Promise<oauth.IntrospectionResponse> => {
      const answer = await oauth.introspectionRequest(server, asker, askerAuth, token.access_token, insecure);
      return oauth.processIntrospectionResponse(server, asker, answer);
    };
    expect(await introspect()).toMatchObject({ active: true, aud: [world.keys[0]], sub: client.clientId });
    const revoked = await oauth.revocationRequest(server, self, auth, token.access_token, insecure);
    await oauth.processRevocationResponse(revoked);
    expect(await introspect()).toStrictEqual({ active: false });
  });

  it('finds the error and the challenge in a refusal', async () => {
    const server = { issuer: world.url, token_endpoint: `${world.url}/oauth2/token` };
    const self = { client_id: client.clientId };
    const refused = await oauth.clientCredentialsGrantRequest(
      server,
      self,
      oauth.ClientSecretBasic('wrong'),
      {},
      insecure,
    );
    const error: unknown = await oauth.processClientCredentialsResponse(server, self, refused).catch((e: unknown) => e);
    expect(error).toMatchObject({ status: 401 });
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
    const inBody = await oauth.clientCredentialsGrantRequest(
      server,
      self,
      oauth.ClientSecretPost(client.clientSecret),
      {},
      insecure,
    );
    expect(inBody.status).toBe(401);
  });
});

describe('simple-oauth2', () => {
  // this library knows no introspection
  const make = (secret: string, mode: 'strict' | 'loose'): ClientCredentialsGrant =>
    new simpleOAuth2.ClientCredentials({
      client: { id: client.clientId, secret },
      auth: { tokenHost: world.url, tokenPath: '/oauth2/token', revokePath: '/oauth2/revoke' },
      http: { json: true },
      options: { credentialsEncodingMode: mode },
    });

  it.each(['strict', 'loose'] as const)(
    'gets a token and revokes it, with credentials encoded in the %s way',
    async (mode) => {
      const token = await make(client.clientSecret, mode).getToken({ scope: [...world.keys].reverse() });
      expect(token.token).toMatchObject({ token_type: 'Bearer', scope: world.keys.join(' '), expires_in: 3600 });
      expect(token.expired()).toBe(false);
      const text = token.token['access_token'] as string;
      expect(await world.isActive(text)).toBe(true);
      await token.revoke('access_token');
      expect(await world.isActive(text)).toBe(false);
    },
  );

  it('reports a wrong secret', async () => {
    await expect(make('wrong', 'strict').getToken({})).rejects.toMatchObject({ output: { statusCode: 401 } });
  });
});
