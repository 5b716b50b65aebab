import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as openid from 'openid-client';
import { freePort } from '../../tools/local-stores/ports.ts';
import { Api } from '../support/api.ts';
import { aCredential, anApi, anOperation } from '../support/builders.ts';
import { Gateway, documented, filledIn } from '../support/gateway.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

const NGINX = process.env['LATCHKEY_TEST_NGINX'] ?? 'nginx';
/** As documented, nginx strips the path; with this line in place of that one, it passes the path on. */
const STRIPPED = 'proxy_pass http://latchkey/;';
const PASSED_ON = 'proxy_pass http://latchkey;';

describe.each([
  ['strips the path', STRIPPED],
  ['passes the path on', PASSED_ON],
])('Latchkey behind nginx, under /auth/ and with a proxy that %s', (_how, proxyPass) => {
  let service: Service;
  let nginx: Gateway;
  let publicUrl: string;
  let api: Api;

  beforeAll(async () => {
    nginx = new Gateway(await freePort());
    publicUrl = `http://127.0.0.1:${nginx.port}/auth`;
    service = await startService({ env: { PUBLIC_URL: publicUrl, TRUSTED_PROXIES: '127.0.0.1' } });
    await nginx.start(NGINX, ['-p', nginx.folder, '-e', 'stderr', '-c', configure()]);
    api = new Api(publicUrl);
  });

  afterAll(async () => {
    await nginx.stop();
    await service.stop();
    await service.database.drop();
  });

  function configure(): string {
    const { folder, port } = nginx;
    const site = filledIn(documented('operating.md', 'nginx'), {
      '127.0.0.1:3000': new URL(service.url).host,
      'listen 8000;': `listen 127.0.0.1:${port};`,
      [STRIPPED]: proxyPass,
    });
    writeFileSync(join(folder, 'site.conf'), site);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const main = `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr warn; events {}
      http { access_log off; ${temporary.join(' ')} include ${folder}/site.conf; }\n`;
    writeFileSync(join(folder, 'nginx.conf'), main);
    return join(folder, 'nginx.conf');
  }

  it('redirects a browser from /auth/ to the docs below it', async () => {
    for (const start of [`${publicUrl}/`, publicUrl]) {
      const response = await fetch(start);
      expect([response.status, response.url]).toEqual([200, `${publicUrl}/docs`]);
      expect(await response.text()).toContain('swagger-ui');
    }
  });

  it('sends a Location header that includes the path and can be followed', async () => {
    const created = await api.post<{ id: string }>('/v1/operations', { name: 'Below a path' }, { idempotencyKey: 'k' });
    const again = await api.post('/v1/operations', { name: 'Below a path' }, { idempotencyKey: 'k' });
    for (const { headers } of [created, again]) {
      const location = headers.get('location') ?? '';
      expect(location).toBe(`/auth/v1/operations/${created.body.id}`);
      expect((await new Api(new URL(location, publicUrl).href).get('')).status).toBe(200);
    }
  });

  it('includes the path in the OpenAPI document and in a 404', async () => {
    const { body } = await api.get<{ servers: unknown[] }>('/openapi.json');
    expect(body.servers).toEqual([{ url: '/auth', description: 'This instance.' }]);
    const { text } = await api.get('/v1/nothing');
    expect(text).toContain('See /auth/docs for all paths');
  });

  it('lets an OAuth client discover it from the issuer alone (RFC 8414 3.1) and get a token', async () => {
    const { id } = await anOperation(api);
    const { key } = await anApi(api);
    const client = await aCredential(api, id, { apis: [key] });
    const config = await openid.discovery(
      new URL(publicUrl),
      client.clientId,
      undefined,
      openid.ClientSecretBasic(client.clientSecret),
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- only marked so; the test uses plain HTTP
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    );
    expect(config.serverMetadata()).toMatchObject({ issuer: publicUrl, token_endpoint: `${publicUrl}/oauth2/token` });
    const token = await openid.clientCredentialsGrant(config);
    expect(await openid.tokenIntrospection(config, token.access_token)).toMatchObject({ active: true, iss: publicUrl });
    // some libraries put the well-known part behind the path
    expect((await fetch(`${publicUrl}/.well-known/oauth-authorization-server`)).status).toBe(200);
  });

  it('serves a Swagger UI whose Try it out reaches the service', async () => {
    const browser = await launchChromium();
    try {
      const swagger = await SwaggerPage.open(browser, `${publicUrl}/docs`);
      await swagger.signIn(ADMIN.username, ADMIN.password);
      const created = await swagger.execute('operations_create');
      expect(created.status).toBe(201);
      const read = await swagger.execute('operations_read');
      // the id of what was just made is filled in
      expect([read.status, read.body]).toEqual([200, created.body]);
      expect([swagger.violations, swagger.errors]).toEqual([[], []]);
      expect(swagger.requested.filter((url) => !url.startsWith(publicUrl) && !url.startsWith('data:'))).toEqual([]);
    } finally {
      await browser.close();
    }
  }, 240_000);
});
