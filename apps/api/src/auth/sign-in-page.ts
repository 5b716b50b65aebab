/** Nothing but files of ours, no framing, and nothing kept: the page says who is signed in. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const;

export interface SignInPage {
  /** The path of PUBLIC_URL. */
  readonly publicPath: string;
  /** Where to go after the sign-in: a path of this service. */
  readonly returnTo: string;
  readonly hasSso: boolean;
  /** Who is signed in already. */
  readonly signedInAs: string | undefined;
  /** What went wrong, where the page is shown for that. */
  readonly problem?: string;
}

/** The page at which people sign in. */
export function signInPage({ publicPath, returnTo, hasSso, signedInAs, problem }: SignInPage): string {
  const at = (path: string): string => escaped(publicPath + path);
  const start = `/auth/oidc/start?returnTo=${encodeURIComponent(returnTo)}`;
  const sso = `<p><a class="button" href="${at(start)}">Sign in with your company account</a></p>
      <p class="or">or with a user name and password of this service</p>`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sign in – Latchkey</title>
    <link rel="stylesheet" href="${at('/sign-in/page.css')}">
    <script type="module" src="${at('/sign-in/page.js')}"></script>
  </head>
  <body data-base="${escaped(publicPath)}" data-return-to="${at(returnTo)}">
    <main>
      <h1>Sign in to Latchkey</h1>
      <p id="problem" class="problem" role="alert"${problem === undefined ? ' hidden' : ''}>${escaped(problem ?? '')}</p>
      <noscript><p class="problem">This page needs JavaScript. Programs sign in with HTTP Basic.</p></noscript>
      ${signedInAs === undefined ? '' : signedIn(signedInAs, at(returnTo))}
      ${hasSso ? sso : ''}
      <form id="form">
        <label for="username">User name</label>
        <input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required>
        <button type="submit">Sign in</button>
      </form>
    </main>
  </body>
</html>
`;
}

function signedIn(name: string, returnTo: string): string {
  return `<section class="signed-in">
        <p>You are signed in as <strong>${escaped(name)}</strong>.</p>
        <p><a class="button" href="${returnTo}">Continue</a> <button id="sign-out" type="button">Sign out</button></p>
      </section>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
