import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { basic } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { freePort } from '../../tools/local-stores/ports.ts';
import { Gateway, UpstreamApi, documented, filledIn } from '../support/gateway.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { eventually } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const NGINX = process.env['LATCHKEY_TEST_NGINX'] ?? 'nginx';
const FORGED = {
  'X-Auth-Client-Id': 'lk_ci_forged',
  'x-auth-operation-id': 'forged',
  'X-AUTH-SCOPE': 'forged',
  X_Auth_Client_Id: 'lk_ci_forged',
};

/** nginx as Debian has it, with the configuration of docs/gateways.md. */
describe('nginx', () => {
  const database = new TestDatabase();
  let store: TcpProxy;
  let world: OAuthWorld;
  let upstream: UpstreamApi;
  let nginx: Gateway;
  let client: CredentialBody;
  let bearer: { authorization: string };

  beforeAll(async () => {
    store = await TcpProxy.before(database.uri);
    const env = { MONGODB_URI: store.storeUri(database.uri) };
    world = await OAuthWorld.start(1, { database, env });
    upstream = await UpstreamApi.start();
    nginx = new Gateway(await freePort());
    await nginx.start(NGINX, ['-p', nginx.folder, '-e', 'stderr', '-c', configure()]);
  });

  beforeEach(async () => {
    client = await world.client();
    bearer = { authorization: `Bearer ${await world.tokenOf(client)}` };
    upstream.calls.length = 0;
  });

  afterAll(async () => {
    await nginx.stop();
    await upstream.stop();
    await world.stop();
    await store.away();
  });

  /** The documented file, in a main configuration that says nothing but where things lie. */
  function configure(): string {
    const { folder } = nginx;
    const secret = join(folder, 'latchkey-secret.conf');
    writeFileSync(secret, `proxy_set_header X-Forward-Auth-Authorization "${basic(world.resourceServer)}";\n`, {
      mode: 0o600,
    });
    const site = filledIn(documented('gateways.md', 'nginx'), {
      '127.0.0.1:3000': new URL(world.url).host,
      '127.0.0.1:8080': upstream.address,
      'listen 8000;': `listen 127.0.0.1:${nginx.port};`,
      'invoices.read': world.keys[0],
      '/etc/nginx/latchkey-secret.conf': secret,
    });
    writeFileSync(join(folder, 'site.conf'), site);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const main = `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn; events {}
      http { access_log off; ${paths.join(' ')} include ${folder}/site.conf; }\n`;
    writeFileSync(join(folder, 'nginx.conf'), main);
    return join(folder, 'nginx.conf');
  }

  it('accepts a valid token, and tells the API which client it belongs to', async () => {
    expect((await nginx.call(bearer)).status).toBe(200);
    expect(upstream.calls).toHaveLength(1);
    expect(upstream.calls[0]).toMatchObject({
      'x-auth-client-id': client.clientId,
      'x-auth-operation-id': client.operationId,
      'x-auth-scope': world.keys.join(' '),
    });
    expect(upstream.calls[0]).not.toHaveProperty('authorization');
  });

  it('refuses a deleted credential on the next request', async () => {
    for (let round = 0; round < 5; round += 1) {
      const another = await world.client();
      const its = { authorization: `Bearer ${await world.tokenOf(another)}` };
      for (let count = 0; count < 5; count += 1) expect((await nginx.call(its)).status).toBe(200);
      upstream.calls.length = 0;
      expect((await world.api.delete(pathOf(another))).status).toBe(204);
      const next = await nginx.call(its);
      expect(next.status).toBe(401);
      expect(next.headers['www-authenticate']).toBe('Bearer realm="latchkey", error="invalid_token"');
      expect(upstream.calls).toHaveLength(0);
    }
  });

  it('refuses a caller outside the Allowed IPs', async () => {
    const bound = await world.client({ allowedIps: ['127.0.0.1'] });
    const its = { authorization: `Bearer ${await world.tokenOf(bound)}` };
    expect((await nginx.call(its)).status).toBe(200);
    expect((await nginx.call(its, '127.0.0.2')).status).toBe(403);
    const lies = { 'X-Forward-Auth-Client-IP': '127.0.0.1', 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1' };
    expect((await nginx.call({ ...its, ...lies }, '127.0.0.2')).status).toBe(403);
    expect(upstream.calls).toHaveLength(1);
  });

  it('replaces X-Auth-* headers of the caller', async () => {
    expect((await nginx.call({ ...bearer, ...FORGED })).status).toBe(200);
    expect(JSON.stringify(upstream.calls)).not.toContain('forged');
    expect(upstream.calls[0]).toMatchObject({ 'x-auth-client-id': client.clientId });
  });

  it.each([
    ['no token', {}, 401, 'Bearer realm="latchkey"'],
    ['only forged headers', FORGED, 401, 'Bearer realm="latchkey"'],
    ['a bad token', { authorization: 'Bearer x' }, 401, 'Bearer realm="latchkey", error="invalid_token"'],
    ['another scheme', { authorization: 'Basic YTpi' }, 401, 'Bearer realm="latchkey"'],
    ['its own gateway header', { 'X-Forward-Auth-Authorization': 'Basic YTpi' }, 401, 'Bearer realm="latchkey"'],
  ])('refuses %s', async (_what, headers, status, challenge) => {
    const answer = await nginx.call(headers);
    expect([answer.status, answer.headers['www-authenticate']]).toStrictEqual([status, challenge]);
    expect(upstream.calls).toHaveLength(0);
  });

  it('refuses a valid token that lacks the API', async () => {
    const narrow = { authorization: `Bearer ${await world.tokenOf(client, world.keys[1])}` };
    expect((await nginx.call(narrow)).status).toBe(403);
  });

  it('refuses everyone while MongoDB is down or hangs, and while Latchkey is down', async () => {
    const afterTheLease = async (): Promise<void> => {
      await eventually(async () => (await nginx.call(bearer)).status !== 200, 30_000);
      upstream.calls.length = 0;
      for (let count = 0; count < 3; count += 1) {
        const { status, headers } = await nginx.call(bearer);
        expect([status, headers['retry-after']]).toStrictEqual([503, '2']);
      }
      expect(upstream.calls).toHaveLength(0);
    };
    await store.away();
    await afterTheLease();
    await store.open();
    await eventually(async () => (await nginx.call(bearer)).status === 200, 60_000);
    store.hang(true);
    await afterTheLease();
    store.hang(false);
    await eventually(async () => (await nginx.call(bearer)).status === 200, 60_000);
    const { pid } = world.service;
    process.kill(pid, 'SIGSTOP');
    try {
      await afterTheLease();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(async () => (await nginx.call(bearer)).status === 200, 60_000);
    // changes follow once the instance's sessions are registered again
    await eventually(async () => (await world.client()).id !== '', 60_000);
  }, 300_000);
});
