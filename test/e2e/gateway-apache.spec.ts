import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { freePort } from '../../tools/local-stores/ports.ts';
import { Gateway, UpstreamApi, documented, filledIn } from '../support/gateway.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { TlsFront } from '../support/tls-front.ts';

const APACHE = process.env['LATCHKEY_TEST_APACHE'] ?? '/usr/sbin/apache2';
const MODULES = process.env['LATCHKEY_TEST_APACHE_MODULES'] ?? '/usr/lib/apache2/modules';
const LOADED = [
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'headers',
  'proxy',
  'proxy_http',
  'auth_openidc',
];

/** Apache as Debian has it, introspecting by mod_auth_openidc, with the configuration of docs/gateways.md. */
describe('Apache', () => {
  const database = new TestDatabase();
  let store: TcpProxy;
  let world: OAuthWorld;
  let upstream: UpstreamApi;
  let apache: Gateway;
  let front: TlsFront;
  let client: CredentialBody;
  let bearer: { authorization: string };

  beforeAll(async () => {
    store = await TcpProxy.before(database.uri);
    const env = { MONGODB_URI: store.storeUri(database.uri) };
    world = await OAuthWorld.start(1, { database, env });
    upstream = await UpstreamApi.start();
    apache = new Gateway(await freePort());
    front = await TlsFront.start(world.url, apache.folder);
    await apache.start(APACHE, [
      '-D',
      'FOREGROUND',
      '-d',
      apache.folder,
      '-f',
      configure(documented('gateways.md', 'apache')),
    ]);
  });

  beforeEach(async () => {
    client = await world.client();
    bearer = { authorization: `Bearer ${await world.tokenOf(client)}` };
    upstream.calls.length = 0;
  });

  afterAll(async () => {
    await apache.stop();
    await front.stop();
    await upstream.stop();
    await world.stop();
    await store.away();
  });

  function configure(text: string): string {
    const { folder, port } = apache;
    const { username, password } = world.resourceServer;
    const secret = join(folder, 'latchkey-secret.conf');
    writeFileSync(secret, `OIDCOAuthClientID ${username}\nOIDCOAuthClientSecret ${password}\n`, { mode: 0o600 });
    const site = filledIn(text, {
      'latchkey.example/': `${front.address}/`,
      '/etc/ssl/certs/ca-certificates.crt': front.certificateFile,
      '127.0.0.1:8080': upstream.address,
      'invoices.read': world.keys[0],
      '/etc/apache2/latchkey-secret.conf': secret,
    });
    const main = [
      ...LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
      `Listen 127.0.0.1:${port}`,
      'ServerName gateway.test',
      `PidFile ${folder}/pid`,
      `ErrorLog ${folder}/error.log`,
      `DefaultRuntimeDir ${folder}`,
      ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
      site,
    ];
    writeFileSync(join(folder, 'apache.conf'), `${main.join('\n')}\n`);
    return join(folder, 'apache.conf');
  }

  it('accepts a valid token, and tells the API which client it belongs to', async () => {
    expect((await apache.call(bearer)).status).toBe(200);
    expect(upstream.calls[0]).toMatchObject({
      'x-auth-client-id': client.clientId,
      'x-auth-scope': world.keys.join(' '),
    });
    expect(upstream.calls[0]).not.toHaveProperty('authorization');
  });

  it('refuses a deleted credential, a disabled one and a revoked token on the next request', async () => {
    const ends: ((credential: CredentialBody, token: string) => Promise<unknown>)[] = [
      (credential) => world.api.delete(pathOf(credential)),
      (credential) => world.api.patch(pathOf(credential), { status: 'disabled' }),
      (credential, token) => world.api.revoke(credential, token),
    ];
    for (const end of ends) {
      const another = await world.client();
      const token = await world.tokenOf(another);
      const its = { authorization: `Bearer ${token}` };
      for (let count = 0; count < 5; count += 1) expect((await apache.call(its)).status).toBe(200);
      upstream.calls.length = 0;
      await end(another, token);
      expect((await apache.call(its)).status).toBe(401);
      expect(upstream.calls).toHaveLength(0);
    }
  });

  it('replaces X-Auth-* headers of the caller', async () => {
    const forged = { 'X-Auth-Client-Id': 'forged', 'x-auth-operation-id': 'forged', 'X-AUTH-SCOPE': 'forged' };
    expect((await apache.call({ ...bearer, ...forged })).status).toBe(200);
    expect(JSON.stringify(upstream.calls)).not.toContain('forged');
    expect((await apache.call(forged)).status).toBe(401);
  });

  it('refuses a token with Allowed IPs, because the module does not send the caller’s address', async () => {
    const bound = await world.client({ allowedIps: ['127.0.0.1'] });
    expect((await apache.call({ authorization: `Bearer ${await world.tokenOf(bound)}` })).status).toBe(401);
  });

  it.each([
    ['no token', {}],
    ['a bad token', { authorization: 'Bearer x' }],
    ['another scheme', { authorization: 'Basic YTpi' }],
  ])('refuses %s', async (_what, headers) => {
    expect((await apache.call(headers)).status).toBe(401);
    expect(upstream.calls).toHaveLength(0);
  });

  it('refuses a valid token that lacks the API', async () => {
    const narrow = { authorization: `Bearer ${await world.tokenOf(client, world.keys[1])}` };
    expect((await apache.call(narrow)).status).toBe(403);
  });

  it('refuses everyone while MongoDB is unavailable', async () => {
    await store.away();
    await eventually(async () => (await apache.call(bearer)).status === 401, 5_000);
    upstream.calls.length = 0;
    for (let count = 0; count < 3; count += 1) expect((await apache.call(bearer)).status).toBe(401);
    expect(upstream.calls).toHaveLength(0);
    await store.open();
    await eventually(async () => (await apache.call(bearer)).status === 200, 15_000);
  }, 60_000);
});
