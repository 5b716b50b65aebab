import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { Api } from '../support/api.ts';
import { aCredential, anOperation, unique } from '../support/builders.ts';
import { ADMIN, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { SwaggerPage, launchChromium } from '../support/swagger-page.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

let service: Service;
let browser: Browser;
let api: Api;
let swagger: SwaggerPage;
let operation: Named;
let robot: Named;
let other: Named;

beforeAll(async () => {
  service = await startService({ env: { PUBLIC_URL: 'http://127.0.0.1:3000' } });
  browser = await launchChromium();
  api = new Api(service.url);
});

afterAll(async () => {
  await browser.close();
  await service.stop();
  await service.database.drop();
});

beforeEach(async () => {
  operation = await anOperation(api);
  robot = await aCredential(api, operation.id, { name: unique('Invoice robot') });
  other = await aCredential(api, operation.id, { name: unique('Ledger robot') });
  swagger = await SwaggerPage.open(browser, `${service.url}/docs`);
  await swagger.signIn(ADMIN.username, ADMIN.password);
});

const pathOf = ({ id }: Named): string => `/v1/operations/${operation.id}/credentials/${id}`;
const json = (text: string): Record<string, string> => JSON.parse(text) as Record<string, string>;
const writes = (): string[] =>
  swagger.requests
    .filter((request) => request.method() !== 'GET' && !request.url().endsWith('/v1/session'))
    .map((request) => `${request.method()} ${new URL(request.url()).pathname}`);

describe('a destructive call in Swagger UI', () => {
  it('is not sent with untouched defaults, also after the thing was listed and read', async () => {
    const listed = await swagger.execute('credentials_list', (block) =>
      swagger.choose(block, 'operationId', operation.name),
    );
    expect(listed.body).toContain(robot.id);
    const read = await swagger.execute('credentials_read', (block) =>
      swagger.choose(block, 'credentialId', robot.name),
    );
    expect(read.status).toBe(200);
    const block = await swagger.tryOut('credentials_delete');
    expect(await swagger.field(block, 'credentialId').inputValue()).toBe('');
    expect(await swagger.field(block, 'If-Match').inputValue()).toBe('');
    await block.locator('button.execute').click();
    await block.getByText('Required field is not provided').first().waitFor();
    expect(writes()).toEqual([]);
    expect((await api.get(pathOf(robot))).status).toBe(200);
    await swagger.page.close();
  });

  it('shows id and name of what was chosen, asks once, and is sent with the ETag', async () => {
    const block = await swagger.tryOut('credentials_delete');
    await swagger.choose(block, 'operationId', operation.name);
    await swagger.choose(block, 'credentialId', robot.name);
    const actsOn = await block.locator('.lk-acts-on').innerText();
    expect(actsOn).toBe(`Acts on credential ${robot.name} ${robot.id} of operation ${operation.name} ${operation.id}`);
    await block.locator('button.execute').click();
    const dialog = swagger.page.getByRole('dialog');
    expect(await dialog.getByRole('heading').innerText()).toBe(`Delete ${robot.name}?`);
    await swagger.screenshot('swagger-question');
    await swagger.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(writes()).toEqual([]);
    const { status, sent } = await swagger.send(block);
    expect([status, sent['if-match']]).toEqual([204, '"v1"']);
    expect(writes()).toEqual([`DELETE ${pathOf(robot)}`]);
    expect((await api.get(pathOf(other))).status).toBe(200);
    await swagger.page.close();
  });

  it('asks nothing as a dry run, and afterwards deletes with the ETag that was seen before', async () => {
    await swagger.execute('credentials_read', async (block) => {
      await swagger.choose(block, 'operationId', operation.name);
      await swagger.choose(block, 'credentialId', robot.name);
    });
    const block = await swagger.tryOut('credentials_delete');
    await swagger.choose(block, 'operationId', operation.name);
    await swagger.choose(block, 'credentialId', robot.name);
    const dryRun = block.locator('tr[data-param-name="dryRun"] select');
    await dryRun.selectOption('true');
    const answered = swagger.page.waitForResponse((response) => response.url().endsWith('?dryRun=true'));
    await block.locator('button.execute').click();
    expect(await (await answered).json()).toMatchObject({ dryRun: true, changes: [{ type: 'credential.deleted.v1' }] });
    await dryRun.selectOption('false');
    const deleted = await swagger.send(block);
    expect({ status: deleted.status, ifMatch: deleted.sent['if-match'] }).toEqual({ status: 204, ifMatch: '"v1"' });
    await swagger.page.close();
  });

  it('takes an id that was typed, and says when there is no such thing', async () => {
    const block = await swagger.tryOut('credentials_delete');
    await swagger.field(block, 'operationId').fill(operation.id);
    await swagger.field(block, 'credentialId').fill('cr_nothing');
    await block.getByText('There is no such credential, or you may not see it.').waitFor();
    await swagger.field(block, 'credentialId').fill(robot.id);
    await block.locator('.lk-acts-on', { hasText: robot.name }).waitFor();
    expect((await swagger.send(block)).status).toBe(204);
    await swagger.page.close();
  });

  it('empties what was chosen below an operation when another operation is chosen', async () => {
    const elsewhere = await anOperation(api);
    const block = await swagger.tryOut('credentials_delete');
    await swagger.choose(block, 'operationId', operation.name);
    await swagger.choose(block, 'credentialId', robot.name);
    await swagger.choose(block, 'operationId', elsewhere.name);
    expect(await swagger.field(block, 'credentialId').inputValue()).toBe('');
    await swagger.page.close();
  });
});

describe('a write in Swagger UI', () => {
  it('has no effect a second time, and the secret of the first stays until it is dismissed', async () => {
    const create = await swagger.tryOut('credentials_create');
    await swagger.choose(create, 'operationId', operation.name);
    await create.locator('textarea').fill(JSON.stringify({ name: 'Twice' }));
    const first = await swagger.send(create);
    const again = await swagger.send(create);
    expect([first.status, again.status, again.sent['idempotency-key']]).toEqual([
      201,
      200,
      first.sent['idempotency-key'],
    ]);
    const { clientId = '', clientSecret = '' } = json(first.body);
    expect(json(again.body)).toMatchObject({ clientId, clientSecret: null });
    const notice = swagger.page.locator('.lk-secret', { hasText: 'Twice' });
    expect(await notice.innerText()).toContain(clientId);
    expect(await notice.innerText()).toContain(clientSecret);
    await swagger.screenshot('swagger-secret');
    await swagger.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
    await notice.getByRole('button', { name: 'Copy clientSecret' }).click();
    await notice.getByText('Copied').waitFor();
    expect(await swagger.page.evaluate('navigator.clipboard.readText()')).toBe(clientSecret);
    await notice.getByRole('button', { name: 'I have stored it' }).click();
    expect(await swagger.page.locator('.lk-secret').count()).toBe(0);
    const { body } = await api.get<{ items: unknown[] }>(`/v1/operations/${operation.id}/credentials`);
    expect(body.items).toHaveLength(3);
    await swagger.page.close();
  });

  it('makes another thing after Try it out was pressed again, or with another body', async () => {
    const create = await swagger.tryOut('operations_create');
    const name = unique('operation');
    await create.locator('textarea').fill(JSON.stringify({ name }));
    const first = await swagger.send(create);
    await create.locator('textarea').fill(JSON.stringify({ name: `${name} 2` }));
    const second = await swagger.send(create);
    await create.getByRole('button', { name: 'Cancel' }).click();
    await create.getByRole('button', { name: 'Try it out' }).click();
    const third = await swagger.send(create);
    // the name is taken: it was a request of its own
    expect([first.status, second.status, third.status]).toEqual([201, 201, 409]);
    await swagger.page.close();
  });

  it('is refused by its ETag when the thing changed after it was shown, until it is read again', async () => {
    const chooseRobot = async (block: Awaited<ReturnType<SwaggerPage['tryOut']>>): Promise<void> => {
      await swagger.choose(block, 'operationId', operation.name);
      await swagger.choose(block, 'credentialId', robot.name);
    };
    expect((await swagger.execute('credentials_read', chooseRobot)).status).toBe(200);
    await api.patch(pathOf(robot), { description: 'changed elsewhere' }, { ifMatch: '*' });
    const edit = await swagger.tryOut('credentials_edit');
    await edit.locator('textarea').fill(JSON.stringify({ description: 'mine' }));
    const refused = await swagger.send(edit);
    expect([refused.status, refused.sent['if-match']]).toEqual([412, '"v1"']);
    expect((await swagger.execute('credentials_read')).status).toBe(200);
    const accepted = await swagger.execute('credentials_edit');
    expect([accepted.status, accepted.sent['if-match']]).toEqual([200, '"v2"']);
    const typed = await swagger.execute('credentials_edit', (block) => swagger.field(block, 'If-Match').fill('"v9"'));
    expect([typed.status, typed.sent['if-match']]).toEqual([412, '"v9"']);
    await swagger.page.close();
  });

  it('shows no password in the curl box, and copies the command that works', async () => {
    const password = 'sechzehn Zeichen ’n mehr';
    const username = unique('grace');
    const create = await swagger.tryOut('users_create');
    await create.locator('textarea').fill(JSON.stringify({ username, password, roles: ['auditor'] }));
    expect((await swagger.send(create)).status).toBe(201);
    const shown = await create.locator('.lk-curl pre').innerText();
    expect(shown).not.toContain(password);
    expect(shown).toContain(username);
    expect(shown).toContain(`-u '${ADMIN.username}'`);
    await swagger.page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
    await create.getByRole('button', { name: 'Copy the curl command with its secrets' }).click();
    await create.getByText('Copied').waitFor();
    expect(await swagger.page.evaluate('navigator.clipboard.readText()')).toContain(password);

    await swagger.authorize('client', 'lk_ci_nobody', 'lk_cs_not-a-secret');
    expect((await swagger.execute('token_token')).status).toBe(401);
    const basic = Buffer.from('lk_ci_nobody:lk_cs_not-a-secret').toString('base64');
    expect(await swagger.page.locator('body').innerText()).not.toContain(basic);
    await swagger.page.close();
  });
});
