import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { Api } from '../support/api.ts';
import type { Answer } from '../support/api.ts';
import { unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

let service: Service;
let browser: Browser;

beforeAll(async () => {
  // over plain http on the loopback, a session cookie needs a PUBLIC_URL of that kind
  service = await startService({ env: { PUBLIC_URL: 'http://127.0.0.1:3000' } });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  await service.database.drop();
});

const json = (text: string): Record<string, string> => JSON.parse(text) as Record<string, string>;

async function openSignedIn(path = '/docs'): Promise<SwaggerPage> {
  const swagger = await SwaggerPage.open(browser, `${service.url}${path}`);
  await swagger.signIn(ADMIN.username, ADMIN.password);
  return swagger;
}

function expectClean(swagger: SwaggerPage): void {
  expect(swagger.violations).toEqual([]);
  expect(swagger.errors).toEqual([]);
  const elsewhere = swagger.requested.filter((url) => !url.startsWith(service.url) && !url.startsWith('data:'));
  expect(elsewhere).toEqual([]);
}

describe('Swagger UI', () => {
  it('performs the main job with Try it out and Execute only, signed in by the session', async () => {
    const swagger = await openSignedIn();
    await swagger.screenshot('swagger-1-top');
    expect((await swagger.execute('operations_create')).status).toBe(201);
    await swagger.screenshot('swagger-2-operation');
    expect((await swagger.execute('operations_edit')).status).toBe(200);
    expect((await swagger.execute('apis_create')).status).toBe(201);
    const created = await swagger.execute('credentials_create');
    expect(created.status).toBe(201);
    await swagger.screenshot('swagger-3-credential');
    expect((await swagger.execute('credentials_edit')).status).toBe(200);
    const { name = '' } = json((await swagger.execute('credentials_read')).body);
    const chooseIt = (block: Locator): Promise<void> => swagger.choose(block, 'credentialId', name);
    expect((await swagger.execute('credentials_rotateSecret', chooseIt)).status).toBe(200);
    await swagger.screenshot('swagger-4-rotated');
    expect((await swagger.execute('credentialApis_read')).body).toContain('"added":true');
    expect((await swagger.execute('credentialApis_change')).status).toBe(200);

    // the newest secret stands first
    await swagger.page.getByRole('button', { name: 'Authorize as client' }).first().click();
    expect(await swagger.execute('token_token')).toMatchObject({ status: 200 });
    await swagger.screenshot('swagger-5-token');
    expect((await swagger.execute('credentialTokens_list')).body).toContain('"scope":"invoices"');
    expect((await swagger.execute('resourceServers_create')).status).toBe(201);
    await swagger.page.getByRole('button', { name: 'Authorize as resourceServer' }).click();
    const active = await swagger.execute('introspection_introspect');
    const { clientId } = json(created.body);
    expect(json(active.body)).toMatchObject({ active: true, client_id: clientId, scope: 'invoices' });
    expect((await swagger.execute('forwardAuth_forwardAuth')).status).toBe(204);

    expect((await swagger.execute('credentials_delete', chooseIt)).status).toBe(204);
    await swagger.screenshot('swagger-6-deleted');
    expect((await swagger.execute('introspection_introspect')).body).toBe('{"active":false}');
    await swagger.screenshot('swagger-7-inactive');
    expect((await swagger.execute('events_list')).body).toContain('credential.deleted.v1');
    const chooseEvent = (block: Locator): Promise<void> => swagger.choose(block, 'eventId', 'credential.deleted.v1');
    expect((await swagger.execute('events_read', chooseEvent)).status).toBe(200);
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
  ])('signs in a person whose password is %s, and changes it', async (_what, password) => {
    const username = unique('zoe');
    const api = new Api(service.url);
    expect((await api.post('/v1/users', { username, password, roles: ['auditor'] })).status).toBe(201);
    const swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
    await swagger.signIn(username, password);
    const { status, body } = await swagger.execute('me_read');
    expect([status, json(body)]).toEqual([200, expect.objectContaining({ username })]);
    const newPassword = `${password.slice(0, 200)} neu`;
    const changed = await swagger.execute('me_changePassword', async (block) => {
      await block.locator('textarea').fill(JSON.stringify({ currentPassword: password, newPassword }));
    });
    expect(changed.status).toBe(204);
    expectClean(swagger);
    await swagger.page.close();
  });

  it('signs a client in with what was typed in UTF-8, as RFC 7617 asks', async () => {
    const swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
    await swagger.authorize('client', 'Zoë', '密码');
    const { sent } = await swagger.execute('token_token');
    const typed = `Basic ${Buffer.from('Zoë:密码').toString('base64')}`;
    expect(sent['authorization']).toBe(typed);
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
    const swagger = await openSignedIn();
    const { status, body } = await swagger.execute('credentials_list', async (block) => {
      await swagger.field(block, 'operationId').fill(operation.id);
      await swagger.field(block, 'name').fill(name);
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
      expect(await swagger.page.getByRole('heading', { level: 1 }).innerText()).toBe('Latchkey');
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
