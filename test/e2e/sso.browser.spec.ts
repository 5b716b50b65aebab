import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { freePort } from '../../tools/local-stores/ports.ts';
import { Api } from '../support/api.ts';
import type { ProblemBody } from '../support/api.ts';
import { aUser, unique } from '../support/builders.ts';
import { CompanyProvider } from '../support/company-provider.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { launchChromium } from '../support/swagger-page.ts';

interface UserBody {
  readonly id: string;
  readonly username: string;
  readonly provider: string;
  readonly roles: string[];
}

const MAPPING = { 'latchkey-auditors': { role: 'auditor' }, 'latchkey-admins': { role: 'platform-admin' } };
let provider: CompanyProvider;
let service: Service;
let browser: Browser;
let publicUrl: string;
let api: Api;

beforeAll(async () => {
  provider = await CompanyProvider.create();
  const port = await freePort();
  publicUrl = `http://127.0.0.1:${port}`;
  await provider.start(publicUrl);
  const sso = { ...provider.env, OIDC_ROLE_MAPPING: JSON.stringify(MAPPING) };
  service = await startService({ env: { PORT: String(port), PUBLIC_URL: publicUrl, ...sso } });
  api = new Api(service.url);
  browser = await launchChromium();
}, 240_000);
afterAll(async () => {
  await browser.close();
  await service.stop();
  await provider.stop();
  await service.database.drop();
});

/** A page of a browser that nobody has used before, and everything that its CSP refused. */
async function newPage(): Promise<{ page: Page; violations: string[] }> {
  const page = await (await browser.newContext()).newPage();
  const violations: string[] = [];
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  return { page, violations };
}

/** Signs in at the company under a name, from the sign-in page on. */
async function signInAtCompany(page: Page, name: string, returnTo = '/livez'): Promise<void> {
  await page.goto(`${publicUrl}/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
  await page.getByRole('link', { name: 'Sign in with your company account' }).click();
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('anything');
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL((url) => url.origin === publicUrl);
}

/** What the browser of this page is told of its session. */
function sessionOf(page: Page): Promise<{ status: number; body: { method: string; user: UserBody } }> {
  return page.evaluate(async () => {
    const response = await fetch('/v1/session');
    return { status: response.status, body: (await response.json()) as never };
  });
}

async function userNamed(name: string): Promise<UserBody | undefined> {
  return (await api.all<UserBody>('/v1/users')).find(({ username }) => username === name);
}

describe('single sign-on', () => {
  it('gives the role that a group is mapped to, until the person is disabled here', async () => {
    const name = unique('ada');
    provider.groups.set(name, ['everyone', 'latchkey-auditors']);
    const { page, violations } = await newPage();
    await signInAtCompany(page, name, '/livez?from=sso');
    expect(page.url()).toBe(`${publicUrl}/livez?from=sso`);
    const { body } = await sessionOf(page);
    expect(body).toMatchObject({ method: 'oidc', user: { username: name, provider: 'oidc', roles: ['auditor'] } });

    const user = await userNamed(name);
    expect(user).toMatchObject({ provider: 'oidc', roles: ['auditor'], status: 'active' });
    expect((await api.patch(`/v1/users/${user!.id}`, { status: 'disabled' })).status).toBe(200);
    expect((await sessionOf(page)).status).toBe(401);

    const again = await newPage();
    await signInAtCompany(again.page, name);
    expect(await again.page.getByRole('alert').textContent()).toContain('but have no access here');
    expect((await sessionOf(again.page)).status).toBe(401);
    expect([violations, again.violations]).toEqual([[], []]);
  }, 240_000);

  it('follows the groups at each sign-in, and ends by signing out', async () => {
    const name = unique('grace');
    provider.groups.set(name, ['latchkey-auditors']);
    const first = await newPage();
    await signInAtCompany(first.page, name);
    provider.groups.set(name, ['latchkey-admins']);
    const second = await newPage();
    await signInAtCompany(second.page, name);
    expect((await sessionOf(second.page)).body.user.roles).toEqual(['platform-admin']);
    // the earlier session goes by what is known now
    expect((await sessionOf(first.page)).body.user.roles).toEqual(['platform-admin']);
    const user = await userNamed(name);
    const events = await api.events({ subject: user!.id });
    expect(events.map(({ type }) => type).reverse()).toEqual([
      'user.created.v2',
      'session.started.v1',
      'user.updated.v2',
      'session.started.v1',
    ]);
    await second.page.goto(`${publicUrl}/sign-in`);
    expect(await second.page.getByText('You are signed in as').textContent()).toContain(name);
    await second.page.getByRole('button', { name: 'Sign out' }).click();
    await eventually(async () => (await sessionOf(second.page)).status === 401);
    expect((await sessionOf(first.page)).status).toBe(200);
  }, 240_000);

  it('lets nobody in whom no group gives a role', async () => {
    const name = unique('eve');
    const { page } = await newPage();
    await signInAtCompany(page, name);
    expect(await page.getByRole('alert').textContent()).toContain('Ask a platform-admin');
    expect((await sessionOf(page)).status).toBe(401);
    expect(await userNamed(name)).toMatchObject({ roles: [] });
  }, 240_000);

  it('takes an answer of the provider once', async () => {
    const name = unique('mallory');
    provider.groups.set(name, ['latchkey-auditors']);
    const { page } = await newPage();
    const callbacks: string[] = [];
    let cookie = '';
    page.on('request', (request) => {
      if (!request.url().includes('/auth/oidc/callback')) return;
      callbacks.push(request.url());
      void request.headerValue('cookie').then((value) => (cookie = value ?? ''));
    });
    await signInAtCompany(page, name);
    const [callback = ''] = callbacks;
    await eventually(() => cookie !== '');
    // from the same browser: its part of the sign-in is gone
    await page.goto(callback);
    expect(await page.getByRole('alert').textContent()).toContain('Start again');
    // with all that the browser had: the provider knows that the code was used
    const replayed = await fetch(callback, { headers: { cookie }, redirect: 'manual' });
    expect([replayed.status, replayed.headers.getSetCookie().some((set) => set.startsWith('latchkey='))]).toEqual([
      400,
      false,
    ]);
  }, 240_000);
});

describe('a sign-in at the provider', () => {
  const start = (query = ''): Promise<Response> =>
    fetch(`${publicUrl}/auth/oidc/start${query}`, { redirect: 'manual' });

  it('begins with state, nonce and a PKCE challenge of its own', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    const parameters = [one, two].map(({ headers }) => new URL(headers.get('location') ?? '').searchParams);
    for (const sent of parameters) {
      expect(Object.fromEntries(sent)).toMatchObject({
        response_type: 'code',
        code_challenge_method: 'S256',
        redirect_uri: `${publicUrl}/auth/oidc/callback`,
      });
    }
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(parameters[0]!.get(name)).not.toBe(parameters[1]!.get(name));
    }
    expect(one.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^latchkey-oidc=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
  });

  it.each(['https://evil.example/', '//evil.example', '/%5Cevil.example', '%2F%09%2Fevil.example', 'docs'])(
    'leads to paths of this service only, not to %s',
    async (returnTo) => {
      const refused = await start(`?returnTo=${returnTo}`);
      const body = (await refused.json()) as ProblemBody;
      expect(refused.status).toBe(400);
      expect(body.errors?.[0]?.pointer).toBe('/query/returnTo');
    },
  );

  it('ends where the state is not that of this browser', async () => {
    const begun = await start();
    const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    for (const [headers, query] of [
      [{ cookie }, 'code=x&state=another'],
      [{ cookie }, 'code=x'],
      [{}, `code=x&state=${state}`],
      [{ cookie: 'latchkey-oidc=eyJzdGF0ZSI6IngifQ' }, `code=x&state=${state}`],
      [{ cookie }, `code=x&state=${state}`],
      [{ cookie }, `error=access_denied&state=${state}`],
    ] as [Record<string, string>, string][]) {
      const refused = await fetch(`${publicUrl}/auth/oidc/callback?${query}`, { headers, redirect: 'manual' });
      expect([query, refused.status]).toEqual([query, 400]);
      expect(((await refused.json()) as ProblemBody).type).toBe('urn:latchkey:problem:sign-in-failed');
    }
  });

  it('is a page with status 503 while the provider is away, and works again when it is back', async () => {
    const fresh = await startService({ database: service.database, env: provider.env });
    await provider.stop();
    try {
      const asBrowser = { headers: { accept: 'text/html' }, redirect: 'manual' as const };
      const away = await fetch(`${fresh.url}/auth/oidc/start`, asBrowser);
      expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
      expect(away.headers.get('content-type')).toContain('text/html');
      expect(await away.text()).toContain('The OpenID Connect provider does not answer.');
      const asProgram = await fetch(`${fresh.url}/auth/oidc/start`, { redirect: 'manual' });
      expect(((await asProgram.json()) as ProblemBody).type).toBe('urn:latchkey:problem:identity-provider-unavailable');
    } finally {
      await provider.start(publicUrl);
    }
    await eventually(
      async () => (await fetch(`${fresh.url}/auth/oidc/start`, { redirect: 'manual' })).status === 303,
      20_000,
    );
    await fresh.stop();
  });

  it('is not offered where it is not set up', async () => {
    const plain = await startService({ database: service.database });
    try {
      expect((await fetch(`${plain.url}/auth/oidc/start`, { redirect: 'manual' })).status).toBe(404);
      expect(await (await fetch(`${plain.url}/sign-in`)).text()).not.toContain('company account');
    } finally {
      await plain.stop();
    }
  });
});

describe('the sign-in page', () => {
  it('signs in by password, says what is wrong, and needs nothing from outside', async () => {
    const person = await aUser(api, ['auditor']);
    const { page, violations } = await newPage();
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(`${publicUrl}/sign-in?returnTo=/livez`);
    await page.getByLabel('User name').fill(person.username);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').filter({ hasText: 'The user name or password is wrong.' }).waitFor();
    await page.getByLabel('Password').fill(person.password);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${publicUrl}/livez`);
    expect((await sessionOf(page)).body).toMatchObject({ method: 'password', user: { username: person.username } });
    expect(requested.filter((url) => !url.startsWith(publicUrl))).toEqual([]);
    expect(violations).toEqual([]);
  });

  it('leads nowhere else, and shows what it was sent as text', async () => {
    const there = async (query: string): Promise<string> => (await fetch(`${publicUrl}/sign-in?${query}`)).text();
    expect(await there('returnTo=https://evil.example/')).not.toContain('evil');
    expect(await there('returnTo=/%22%3E%3Cscript%3E')).not.toContain('"><script>');
    const { headers } = await fetch(`${publicUrl}/sign-in`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(headers.get('x-frame-options')).toBe('DENY');
  });
});
