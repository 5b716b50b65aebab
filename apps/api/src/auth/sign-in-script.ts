/** As much of a browser's page as the script uses. */
interface Element {
  hidden: boolean;
  disabled: boolean;
  textContent: string;
  value: string;
  readonly dataset: Readonly<Record<string, string>>;
  focus(): void;
  select(): void;
  querySelector(selector: string): Element | null;
  addEventListener(type: string, listener: (event: { preventDefault(): void }) => void): void;
}

interface Page {
  readonly document: { readonly body: Element; querySelector(selector: string): Element | null };
  readonly location: { assign(url: string): void; reload(): void };
}

/** Sent to the browser as its own source text, so it may use nothing from around it. */
function runSignInPage(): void {
  const { document, location } = globalThis as unknown as Page;
  const { base = '', returnTo = '/' } = document.body.dataset;
  const problem = document.querySelector('#problem');
  const form = document.querySelector('#form');

  const show = (text: string): void => {
    if (problem === null) return;
    problem.textContent = text;
    problem.hidden = false;
  };

  const send = async (method: string, body?: object): Promise<boolean> => {
    try {
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await fetch(`${base}/v1/session`, { method, ...sent });
      if (response.ok) return true;
      const { detail } = (await response.json()) as { readonly detail?: string };
      show(detail ?? 'That did not work. Try again.');
    } catch {
      show('The service cannot be reached. Try again.');
    }
    return false;
  };

  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    const button = form.querySelector('button');
    const username = form.querySelector('#username');
    const password = form.querySelector('#password');
    if (button === null || username === null || password === null) return;
    button.disabled = true;
    void send('POST', { username: username.value, password: password.value }).then((isIn) => {
      if (isIn) location.assign(returnTo);
      else {
        button.disabled = false;
        password.focus();
        password.select();
      }
    });
  });

  document.querySelector('#sign-out')?.addEventListener('click', () => {
    void send('DELETE').then(() => location.reload());
  });
}

export const SIGN_IN_SCRIPT = `(${runSignInPage.toString()})();\n`;
