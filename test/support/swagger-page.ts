import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Locator, Page } from 'playwright-core';

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
}

/** Swagger UI as a person uses it, with its requests and errors. */
export class SwaggerPage {
  /** Everything that the Content-Security-Policy blocked. */
  readonly violations: string[] = [];
  /** Every URL that the page requested. */
  readonly requested: string[] = [];
  /** Errors of the page’s scripts. */
  readonly errors: string[] = [];

  private constructor(readonly page: Page) {
    page.on('request', (request) => this.requested.push(request.url()));
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      const text = message.text();
      if (/content security policy|securitypolicyviolation/i.test(text)) this.violations.push(text);
    });
  }

  /** Opens a new page at this URL and waits for the list of operations. */
  static async open(browser: Browser, url: string): Promise<SwaggerPage> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const swagger = new SwaggerPage(page);
    // runs in the page, before any script of it
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('securitypolicyviolation', e.violatedDirective))",
    );
    await page.goto(url);
    await page.locator('.opblock').first().waitFor();
    return swagger;
  }

  /** Signs in by the dialog, with one of its methods. */
  async authorize(scheme: string, username: string, password: string): Promise<void> {
    await this.page.locator('button.authorize').first().click();
    const container = this.page
      .locator('.auth-container', { has: this.page.getByText(scheme, { exact: true }) })
      .first();
    const logout = container.getByRole('button', { name: /remove|logout/i });
    if ((await logout.count()) > 0) await logout.click();
    await container.locator('input').nth(0).fill(username);
    await container.locator('input').nth(1).fill(password);
    await container.getByRole('button', { name: /apply|authorize/i }).click();
    await this.page.locator('button.btn-done').first().click();
  }

  /** Presses Try it out and Execute of a call, with its unchanged examples. */
  async execute(operationId: string, change?: (block: Locator) => Promise<void>): Promise<Shown> {
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
    await change?.(block);
    const answered = this.page.waitForResponse((response) => !response.url().includes('/docs'));
    await block.locator('button.execute').click();
    const response = await answered;
    const live = block.locator('.live-responses-table');
    await live
      .locator('.response-col_status', { hasText: String(response.status()) })
      .first()
      .waitFor();
    await live.scrollIntoViewIfNeeded();
    return { status: response.status(), body: await response.text().catch(() => '') };
  }

  /** Saves a screenshot in test-results/. */
  async screenshot(name: string, locator?: Locator): Promise<void> {
    mkdirSync(RESULTS, { recursive: true });
    const path = join(RESULTS, `${name}.png`);
    await (locator === undefined ? this.page.screenshot({ path }) : locator.screenshot({ path }));
  }
}
