import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Locator, Page, Request, Response } from 'playwright-core';

const RESULTS = join(import.meta.dirname, '..', '..', 'test-results');
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium that the test command found, without a window. */
export function launchChromium(): Promise<Browser> {
  const named = process.env['LATCHKEY_TEST_CHROMIUM'];
  const executablePath = named === undefined || named === '' ? '/usr/bin/chromium' : named;
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}

/** The result of an executed call. */
export interface Shown {
  readonly status: number;
  /** The body of the answer, as shown on the page. */
  readonly body: string;
  /** The headers that were sent, by their names in lower case. */
  readonly sent: Readonly<Record<string, string>>;
}

/** Swagger UI as a person uses it, with its requests and errors. */
export class SwaggerPage {
  /** Everything that the Content-Security-Policy blocked. */
  readonly violations: string[] = [];
  /** Every request of the page. */
  readonly requests: Request[] = [];
  /** Errors of the page’s scripts. */
  readonly errors: string[] = [];

  private constructor(readonly page: Page) {
    page.on('request', (request) => this.requests.push(request));
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      const text = message.text();
      if (/content security policy|securitypolicyviolation/i.test(text)) this.violations.push(text);
      // Swagger UI catches the errors of its parts; a refused request is no error of a script
      else if (message.type() === 'error' && !text.startsWith('Failed to load resource')) this.errors.push(text);
    });
  }

  /** Every URL that the page requested. */
  get requested(): string[] {
    return this.requests.map((request) => request.url());
  }

  /** Opens a new page at this URL and waits for the list of operations. */
  static async open(browser: Browser, url: string, viewport = { width: 1280, height: 800 }): Promise<SwaggerPage> {
    const page = await (await browser.newContext({ viewport })).newPage();
    const swagger = new SwaggerPage(page);
    // runs in the page, before any script of it
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('securitypolicyviolation', e.violatedDirective))",
    );
    await page.goto(url);
    await page.locator('.opblock').first().waitFor();
    return swagger;
  }

  /** Signs a person in by a session, and waits until the page shows it. */
  async signIn(username: string, password: string): Promise<void> {
    const { pathname } = new URL(this.page.url());
    const status = await this.page.evaluate(signInFromPage, {
      url: pathname.replace(/docs.*$/, 'v1/session'),
      body: JSON.stringify({ username, password }),
    });
    if (status !== 204) throw new Error(`POST /v1/session answered ${status}`);
    await this.page.reload();
    await this.page.getByText(`Signed in as ${username}`).waitFor();
  }

  /** Authorizes OAuth calls by the dialog, under one of the sign-ins that it lists. */
  async authorize(scheme: string, username: string, secret: string): Promise<void> {
    await this.page.locator('button.authorize').first().click();
    const container = this.page
      .locator('.auth-container', { has: this.page.getByText(scheme, { exact: true }) })
      .first();
    const logout = container.getByRole('button', { name: /remove|logout/i });
    if ((await logout.count()) > 0) await logout.click();
    await container.locator('input').nth(0).fill(username);
    await container.locator('input').nth(1).fill(secret);
    await container.getByRole('button', { name: /apply|authorize/i }).click();
    await this.page.locator('button.btn-done').first().click();
  }

  /** Opens the form of a call and presses Try it out. */
  async tryOut(operationId: string): Promise<Locator> {
    const block = this.page.locator(`[id$="-${operationId}"].opblock`);
    // open sections make the page slow
    for (const open of await this.page.locator('.opblock.is-open').all()) {
      if ((await open.getAttribute('id')) !== (await block.getAttribute('id')))
        await open.locator('.opblock-summary-control').click();
    }
    await block.scrollIntoViewIfNeeded();
    if (!(await block.getAttribute('class'))?.includes('is-open'))
      await block.locator('.opblock-summary-control').click();
    const tryOut = block.locator('button.try-out__btn:not(.reset)');
    if (!(await tryOut.getAttribute('class'))?.includes('cancel')) await tryOut.click();
    return block;
  }

  /** Chooses a thing from the list under a field, by its name. */
  async choose(block: Locator, parameter: string, name: string): Promise<void> {
    const row = block.locator(`tr[data-param-name="${parameter}"] + .lk-chooser-row`);
    // the list is read again when it gets the focus
    await row.locator('select').focus();
    const option = row.locator('option', { hasText: name });
    await option.waitFor({ state: 'attached' });
    await row.locator('select').selectOption((await option.first().getAttribute('value')) ?? '');
    await row.locator('.lk-known', { hasText: name }).waitFor();
  }

  /** The field of a parameter. */
  field(block: Locator, parameter: string): Locator {
    return block.locator(`tr[data-param-name="${parameter}"] input`);
  }

  /** Presses Try it out and Execute of a call, and agrees when the page asks. */
  async execute(operationId: string, change?: (block: Locator) => Promise<void>): Promise<Shown> {
    const block = await this.tryOut(operationId);
    await change?.(block);
    return this.send(block);
  }

  /** Presses Execute of a form that is open, and agrees when the page asks. */
  async send(block: Locator): Promise<Shown> {
    const isAnswer = await answerTo(block);
    const answered = this.page.waitForResponse(isAnswer);
    await block.locator('button.execute').click();
    const dialog = this.page.locator('dialog.lk-question');
    await Promise.race([answered, dialog.waitFor()]);
    if (await dialog.isVisible()) await dialog.locator('.lk-danger').click();
    const response = await answered;
    const live = block.locator('.live-responses-table');
    await live
      .locator('.response-col_status', { hasText: String(response.status()) })
      .first()
      .waitFor();
    await live.scrollIntoViewIfNeeded();
    const body = await response.text().catch(() => '');
    return { status: response.status(), body, sent: await response.request().allHeaders() };
  }

  /** Saves a screenshot in test-results/. */
  async screenshot(name: string, locator?: Locator): Promise<void> {
    mkdirSync(RESULTS, { recursive: true });
    const path = join(RESULTS, `${name}.png`);
    await (locator === undefined ? this.page.screenshot({ path }) : locator.screenshot({ path }));
  }
}

/** Runs in the page, so that the request is same-origin. */
async function signInFromPage({ url, body }: { readonly url: string; readonly body: string }): Promise<number> {
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}

/** Whether a response is that of a call of the form, and not one of the look-ups that the page makes by itself. */
async function answerTo(block: Locator): Promise<(response: Response) => boolean> {
  const template = (await block.locator('.opblock-summary-path').first().getAttribute('data-path')) ?? '';
  const method = await block.locator('.opblock-summary-method').first().innerText();
  const pattern = new RegExp(`${template.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return (response) => {
    const request = response.request();
    const ofForm = request.headers()['accept'] !== 'application/json';
    return ofForm && request.method() === method.trim() && pattern.test(new URL(response.url()).pathname);
  };
}
