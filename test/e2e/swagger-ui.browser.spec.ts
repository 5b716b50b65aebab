import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { Api } from '../support/api.ts';
import type { Answer } from '../support/api.ts';
import { unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

let service: Service;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  await service.database.drop();
});

const json = (text: string): Record<string, string> => JSON.parse(text) as Record<string, string>;

function expectClean(swagger: SwaggerPage): void {
  expect(swagger.violations).toEqual([]);
  expect(swagger.errors).toEqual([]);
  const elsewhere = swagger.requested.filter((url) => !url.startsWith(service.url) && !url.startsWith('data:'));
  expect(elsewhere).toEqual([]);
}

describe('Swagger UI', () => {
  it('performs the main job with Try it out and Execute only, from top to bottom', async () => {
    const swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
    await swagger.screenshot('swagger-1-top');
    await swagger.authorize('person', ADMIN.username, ADMIN.password);

    expect((await swagger.execute('operations_create')).status).toBe(201);
    await swagger.screenshot('swagger-2-operation');
    expect((await swagger.execute('operations_edit')).status).toBe(200);
    expect((await swagger.execute('apis_create')).status).toBe(201);
    const created = await swagger.execute('credentials_create');
    expect(created.status).toBe(201);
    await swagger.screenshot('swagger-3-credential');
    expect((await swagger.execute('credentials_edit')).status).toBe(200);
    const rotated = await swagger.execute('credentials_rotateSecret');
    expect(rotated.status).toBe(200);
    expect((await swagger.execute('credentialApis_read')).body).toContain('"added":true');
    expect((await swagger.execute('credentialApis_change')).status).toBe(200);

    const { clientId = '', clientSecret = '' } = json(rotated.body);
    await swagger.authorize('client', clientId, clientSecret);
    const token = await swagger.execute('token_token');
    expect(token).toMatchObject({ status: 200 });
    await swagger.screenshot('swagger-4-token');
    expect((await swagger.execute('credentialTokens_list')).body).toContain('"scope":"invoices"');
    const server = await swagger.execute('resourceServers_create');
    expect(server.status).toBe(201);
    const { id = '', resourceServerSecret = '' } = json(server.body);
    await swagger.authorize('resourceServer', id, resourceServerSecret);
    const active = await swagger.execute('introspection_introspect');
    expect(json(active.body)).toMatchObject({ active: true, client_id: clientId, scope: 'invoices' });
    await swagger.screenshot('swagger-5-active');
    expect((await swagger.execute('forwardAuth_forwardAuth')).status).toBe(204);

    expect((await swagger.execute('credentials_delete')).status).toBe(204);
    await swagger.screenshot('swagger-6-deleted');
    expect((await swagger.execute('introspection_introspect')).body).toBe('{"active":false}');
    await swagger.screenshot('swagger-7-inactive');
    expect((await swagger.execute('events_list')).body).toContain('credential.deleted.v1');
    expect((await swagger.execute('events_read')).status).toBe(200);
    expectClean(swagger);
    await swagger.page.close();
  }, 480_000);

  it.each([
    ['Latin-1', 'pässwörd mit Ümlaut'],
    ['beyond Latin-1', 'пароль-密码-🔑-ﬁn'],
    ['with colons, quotes and white space', '  a:b:"c\\d\'e`f  '],
    ['escapes and entities', '%41+%2B&amp;<b>${x}'],
    [
      'as long as may be',
      Array.from({ length: 256 }, (_, n) => String.fromCodePoint(0x1f300 + ((n * 37) % 256))).join(''),
    ],
  ])('signs in a person whose password is %s', async (_what, password) => {
    const username = unique('ada');
    const api = new Api(service.url);
    expect((await api.post('/v1/users', { username, password, roles: ['auditor'] })).status).toBe(201);
    const swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
    await swagger.authorize('person', ADMIN.username, ADMIN.password);
    await swagger.authorize('person', username, password);
    const { status, body } = await swagger.execute('me_read');
    expect([status, json(body)]).toEqual([200, expect.objectContaining({ username })]);
    expectClean(swagger);
    await swagger.page.close();
  });

  it('sends names and filters exactly as typed', async () => {
    const api = new Api(service.url);
    const name = `Zoë & Söhne + 100% #1 ?x=y "q" 密 ${unique('n')}`;
    const { body: operation } = await api.post<{ id: string }>('/v1/operations', { name: unique('values') });
    const credentials = `/v1/operations/${operation.id}/credentials`;
    const created = await api.post<{ id: string }>(credentials, { name });
    expect(created.status).toBe(201);
    await api.post(credentials, { name: unique('other') });
    const swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
    await swagger.authorize('person', ADMIN.username, ADMIN.password);
    const { status, body } = await swagger.execute('credentials_list', async (block) => {
      await block.locator('tr[data-param-name="operationId"] input').fill(operation.id);
      await block.locator('tr[data-param-name="name"] input').fill(name);
    });
    const { items } = JSON.parse(body) as { items: { id: string }[] };
    expect([status, items.map(({ id }) => id)]).toEqual([200, [created.body.id]]);
    expectClean(swagger);
    await swagger.page.close();
  });

  it.each(['?url=https://evil.example/openapi.json', '?configUrl=https://evil.example/config.json'])(
    'ignores %s',
    async (query) => {
      const swagger = await SwaggerPage.open(browser, `${service.url}/docs${query}`);
      expect(await swagger.page.locator('.info .title').innerText()).toContain('Latchkey');
      expect(swagger.requested.filter((url) => url.includes('evil.example') && !url.startsWith(service.url))).toEqual(
        [],
      );
      expectClean(swagger);
      await swagger.page.close();
    },
  );

  it('has a strict Content-Security-Policy that allows only its own scripts', async () => {
    const api = new Api(service.url, null);
    const { status, headers, text }: Answer<string> = await api.get<string>('/docs');
    expect(status).toBe(200);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/);
    expect(text).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
  });

  it('opens when a browser visits the root', async () => {
    const answer = await new Api(service.url, null).get('/');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs']);
  });
});
