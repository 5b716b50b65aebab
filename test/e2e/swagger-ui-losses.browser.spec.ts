import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { Api } from '../support/api.ts';
import type { CredentialBody, OperationBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, pathOf, unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

let service: Service;
let browser: Browser;
let api: Api;
let swagger: SwaggerPage;
let operation: OperationBody;
let robot: CredentialBody;
let keys: readonly [string, string];

beforeAll(async () => {
  service = await startService({ env: { PUBLIC_URL: 'http://127.0.0.1:3000' } });
  browser = await launchChromium();
  api = new Api(service.url);
  keys = [(await anApi(api)).key, (await anApi(api)).key];
});
afterAll(async () => {
  await browser.close();
  await service.discard();
});
beforeEach(async () => {
  operation = await anOperation(api);
  robot = await aCredential(api, operation.id, { name: unique('Invoice robot'), apis: keys });
  swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
  await swagger.signIn(ADMIN.username, ADMIN.password);
});
afterEach(() => swagger.page.close());

const question = (): Locator => swagger.page.locator('dialog.lk-question');
const writes = (): number => swagger.requests.filter((one) => ['PATCH', 'PUT'].includes(one.method())).length;

/** The form of a call with its things and this body. */
async function form(operationId: string, things: Readonly<Record<string, string>>, body: object): Promise<Locator> {
  const block = await swagger.tryOut(operationId);
  for (const [parameter, name] of Object.entries(things)) await swagger.choose(block, parameter, name);
  await block.locator('textarea').fill(JSON.stringify(body));
  return block;
}
const ofRobot = (): Record<string, string> => ({ operationId: operation.name, credentialId: robot.name });

/** What the page asks when the form is executed. */
async function asked(block: Locator): Promise<string> {
  await block.locator('button.execute').click();
  await question().waitFor();
  return question().getByRole('heading').innerText();
}

/** Whether the focus is on or in what the selector names. */
const hasFocus = (selector: string): Promise<boolean> =>
  swagger.page.evaluate<boolean>(`document.activeElement.closest(${JSON.stringify(selector)}) !== null`);

describe('an edit in Swagger UI that takes access away', () => {
  it('asks before a credential is disabled, and sends nothing when the answer is no', async () => {
    const block = await form('credentials_edit', ofRobot(), { status: 'disabled' });
    expect(await asked(block)).toBe(`Disable ${robot.name}?`);
    expect(await question().innerText()).toContain(robot.id);
    await swagger.screenshot('swagger-disable');
    await swagger.page.keyboard.press('Escape');
    await question().waitFor({ state: 'detached' });
    expect(writes()).toBe(0);
    expect((await swagger.send(block)).status).toBe(200);
    expect((await api.get<{ status: string }>(pathOf(robot))).body.status).toBe('disabled');
  });

  it('asks before a person is disabled and before an operation is suspended', async () => {
    const person = await aUser(api, ['auditor']);
    const user = await form('users_edit', { userId: person.username }, { status: 'disabled' });
    expect(await asked(user)).toBe(`Disable ${person.username}?`);
    await question().getByRole('button', { name: 'Cancel' }).click();
    const unit = await form('operations_edit', { operationId: operation.name }, { status: 'suspended' });
    expect(await asked(unit)).toBe(`Suspend ${operation.name}?`);
  });

  it('names the APIs and addresses that are taken away', async () => {
    const apis = await form('credentialApis_change', ofRobot(), { remove: [keys[0]] });
    expect(await asked(apis)).toBe(`Take APIs away from ${robot.name}?`);
    await question().getByRole('button', { name: 'Cancel' }).click();
    const edit = await form('credentials_edit', ofRobot(), { apis: [keys[1]] });
    expect(await asked(edit)).toBe(`Take APIs away from ${robot.name}?`);
    expect(await question().innerText()).toContain(`loses ${keys[0]}`);
    await question().getByRole('button', { name: 'Cancel' }).click();
    await edit.locator('textarea').fill(JSON.stringify({ allowedIps: ['192.0.2.1'] }));
    expect(await asked(edit)).toBe(`Take addresses away from ${robot.name}?`);
    expect(await question().innerText()).toContain('loses all but 192.0.2.1');
  });

  it('does not ask before an edit that takes nothing away', async () => {
    const block = await form('credentials_edit', ofRobot(), { description: 'x', status: 'active', apis: keys });
    await block.locator('button.execute').click();
    await block.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    expect(await question().count()).toBe(0);
  });

  it('does not ask before a dry run, which changes nothing', async () => {
    const block = await form('credentials_edit', ofRobot(), { status: 'disabled' });
    await block.locator('tr[data-param-name="dryRun"] select').selectOption('true');
    await block.locator('button.execute').click();
    await block.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    expect(await question().count()).toBe(0);
    expect((await api.get<{ status: string }>(pathOf(robot))).body.status).toBe('active');
  });

  it('gives the focus back to Execute when the question is answered', async () => {
    const block = await form('credentials_edit', ofRobot(), { status: 'disabled' });
    await block.locator('button.execute').focus();
    await swagger.page.keyboard.press('Enter');
    await question().waitFor();
    await swagger.page.keyboard.press('Escape');
    await question().waitFor({ state: 'detached' });
    expect(await hasFocus(`#${await block.getAttribute('id')} button.execute`)).toBe(true);
  });
});

describe('the dialog Authorize', () => {
  const button = (): Locator => swagger.page.locator('.lk-header button.authorize');

  it('keeps the focus while it is shown, and gives it back to the button', async () => {
    await button().focus();
    await swagger.page.keyboard.press('Enter');
    const dialog = swagger.page.getByRole('dialog');
    await dialog.waitFor();
    const fields = await dialog.locator('input, button').count();
    expect(fields).toBeGreaterThan(8);
    const reached = new Set<string>();
    for (const key of ['Tab', 'Shift+Tab']) {
      for (let step = 0; step < fields + 5; step += 1) {
        await swagger.page.keyboard.press(key);
        expect([key, step, await hasFocus('dialog')]).toEqual([key, step, true]);
        reached.add(await swagger.page.evaluate('document.activeElement.outerHTML'));
      }
    }
    expect(reached.size).toBeGreaterThan(8);
    await swagger.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await hasFocus('button.authorize')).toBe(true);
  });

  it('gives the focus back when it is closed by the mouse, and lets nothing behind it be clicked', async () => {
    await button().click();
    const dialog = swagger.page.getByRole('dialog');
    await expect(swagger.page.locator('.opblock-summary-control').first().click({ timeout: 1_000 })).rejects.toThrow();
    await dialog.getByRole('button', { name: 'Close' }).first().click();
    await dialog.waitFor({ state: 'detached' });
    expect(await hasFocus('button.authorize')).toBe(true);
  });

  it('has no barrier that axe finds', async () => {
    await button().click();
    await swagger.page.getByRole('dialog').waitFor();
    await swagger.screenshot('swagger-authorize-modal');
    const { violations } = await new AxeBuilder({ page: swagger.page }).analyze();
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 90)).join(' | ')}`),
    ).toEqual([]);
  });
});
