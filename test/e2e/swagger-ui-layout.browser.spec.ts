import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { Api } from '../support/api.ts';
import { unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

const VIEWPORTS = [
  { width: 1280, height: 800 },
  { width: 1440, height: 900 },
];

let service: Service;
let browser: Browser;

beforeAll(async () => {
  service = await startService({ env: { PUBLIC_URL: 'http://127.0.0.1:3000' } });
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  await service.database.drop();
});

const open = (viewport = VIEWPORTS[0]): Promise<SwaggerPage> =>
  SwaggerPage.open(browser, `${service.url}/docs`, viewport);

describe('the page of Swagger UI', () => {
  it.each(VIEWPORTS)('shows the first operation on the first screen at $width × $height', async (viewport) => {
    const swagger = await open(viewport);
    const box = await swagger.page.locator('.opblock').first().boundingBox();
    expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(viewport.height / 2);
    await swagger.screenshot(`swagger-signed-out-${viewport.width}`);
    await swagger.page.close();
  });

  it('folds the long description below the operations, and unfolds it by the keyboard', async () => {
    const swagger = await open();
    const about = swagger.page.locator('details#lk-about');
    const text = about.getByText('Changing things safely');
    expect(await text.isVisible()).toBe(false);
    const lastOperation = await swagger.page.locator('.opblock').last().boundingBox();
    const folded = await about.boundingBox();
    expect(folded?.y).toBeGreaterThan(lastOperation?.y ?? Infinity);
    await about.locator('summary').focus();
    await swagger.page.keyboard.press('Enter');
    await text.waitFor();
    await swagger.page.close();
  });

  it('says at the top who is signed in, and signs in and out there', async () => {
    const swagger = await open();
    await swagger.page.getByText('Not signed in').waitFor();
    await swagger.signIn(ADMIN.username, ADMIN.password);
    expect(await swagger.page.locator('.lk-account').innerText()).toContain('admin (platform-admin)');
    await swagger.screenshot('swagger-signed-in');
    expect((await swagger.execute('me_read')).status).toBe(200);
    await swagger.page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await swagger.page.getByText('Not signed in').waitFor();
    expect((await swagger.execute('me_read')).status).toBe(401);
    await swagger.screenshot('swagger-refused');
    await swagger.page.close();
  });

  it('leads to the sign-in page and from there back to the call that was open', async () => {
    const swagger = await open();
    const { page } = swagger;
    await page.locator('[id$="-users_create"].opblock .opblock-summary-control').click();
    await page.getByRole('link', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(/\/sign-in\?/);
    await page.getByLabel(/user name/i).fill(ADMIN.username);
    await page.getByLabel(/password/i).fill(ADMIN.password);
    await page.getByRole('button', { name: /^sign in$/i }).click();
    await page.getByText(`Signed in as ${ADMIN.username}`).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).hash).toBe('/docs#/Users/users_create');
    await page.locator('[id$="-users_create"].opblock.is-open').waitFor();
    await page.close();
  });

  it('says that a session is over as soon as an answer shows it', async () => {
    const api = new Api(service.url);
    const username = unique('ada');
    const password = 'a password of Ada';
    const { body: user } = await api.post<{ id: string }>('/v1/users', { username, password, roles: ['auditor'] });
    const swagger = await open();
    await swagger.signIn(username, password);
    await api.delete(`/v1/users/${user.id}`, { ifMatch: '*' });
    expect((await swagger.execute('me_read')).status).toBe(401);
    await swagger.page.getByText('Not signed in').waitFor();
    await swagger.page.close();
  });

  it('opens Authorize at its first sign-in, and offers none for people', async () => {
    const swagger = await open();
    await swagger.page.locator('button.authorize').click();
    const dialog = swagger.page.getByRole('dialog');
    const schemes = await dialog.locator('h3 code').allInnerTexts();
    expect(schemes).toEqual(['client', 'resourceServer', 'accessToken', 'apiKey']);
    expect(await dialog.locator('input').first().getAttribute('id')).toBe('lk-client-user-name');
    expect(await swagger.page.evaluate('document.activeElement.id')).toBe('lk-client-user-name');
    await swagger.screenshot('swagger-authorize');
    await swagger.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await swagger.page.close();
  });

  it('marks optional headers, folds the possible answers, and finds APIs by plain words', async () => {
    const swagger = await open();
    await swagger.page.getByText('Take APIs away or add some', { exact: true }).waitFor();
    const block = await swagger.tryOut('credentials_create');
    expect(await block.locator('tr[data-param-name="Idempotency-Key"]').innerText()).toContain('Optional');
    expect(await block.locator('.responses-table').isVisible()).toBe(false);
    await block.getByRole('button', { name: /Show the possible answers/ }).click();
    expect(await block.locator('.responses-table').isVisible()).toBe(true);
    await swagger.page.close();
  });

  it('shows a whole answer, up to the height of the window', async () => {
    const swagger = await open();
    await swagger.signIn(ADMIN.username, ADMIN.password);
    await swagger.execute('apis_create');
    await swagger.execute('operations_create');
    await swagger.execute('credentials_create');
    const boxes = await swagger.page
      .locator('.live-responses-table pre.microlight')
      .evaluateAll((all) => all.map(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight));
    expect(boxes.length).toBeGreaterThan(0);
    expect(boxes.filter((hidden) => hidden > 2)).toEqual([]);
    await swagger.page.close();
  });

  it('has no barrier that axe finds, in the form of a deletion and in its question', async () => {
    const swagger = await open();
    await swagger.signIn(ADMIN.username, ADMIN.password);
    const block = await swagger.tryOut('operations_delete');
    const { body } = await new Api(service.url).post<{ id: string; name: string }>('/v1/operations', {
      name: unique('axe'),
    });
    await swagger.choose(block, 'operationId', body.name);
    const found = async (): Promise<string[]> => {
      const { violations } = await new AxeBuilder({ page: swagger.page }).analyze();
      return violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(({ html }) => html.slice(0, 90))
            .join(' | ')}`,
      );
    };
    expect(await found()).toEqual([]);
    await block.locator('button.execute').click();
    await swagger.page.getByRole('dialog').waitFor();
    expect(await found()).toEqual([]);
    await swagger.page.close();
  });
});

describe('the OpenAPI document', () => {
  it.each([
    ['names', { OIDC_ISSUER: 'https://login.example', OIDC_AUDIENCE: 'latchkey' }, true],
    ['does not name', {}, false],
  ])('%s the sign-in oidc with %j', async (_how, env, named) => {
    const other = await startService({ env });
    try {
      const { body } = await new Api(other.url, null).get<{ components: { securitySchemes: object } }>('/openapi.json');
      expect('oidc' in body.components.securitySchemes).toBe(named);
      expect(JSON.stringify(body).includes('"oidc":[]')).toBe(named);
    } finally {
      await other.stop();
      await other.database.drop();
    }
  });
});
