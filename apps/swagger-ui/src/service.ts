/** An answer of the service to the page itself. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly etag: string | null;
}

/** The path of PUBLIC_URL: what stands before `/docs` in the address of this page. */
export function basePath(): string {
  return location.pathname.replace(/\/docs(?:\/.*)?$/, '');
}

/** The path of an address below PUBLIC_URL, without its query. */
export function pathBelow(url: string): string {
  const { pathname } = new URL(url, location.href);
  return pathname.startsWith(`${basePath()}/`) ? pathname.slice(basePath().length) : pathname;
}

/** Sends a request with the session cookie. Status 0: the service cannot be reached. */
export async function send(method: 'GET' | 'DELETE', path: string): Promise<Answer> {
  try {
    const response = await fetch(basePath() + path, {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json' },
    });
    const text = await response.text();
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    return { status: response.status, body, etag: response.headers.get('etag') };
  } catch {
    return { status: 0, body: undefined, etag: null };
  }
}

/** A text that a document may lack. */
export function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A member of a JSON object where it is a text. */
export function textOf(body: unknown, member: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const value = (body as Record<string, unknown>)[member];
  return typeof value === 'string' ? value : undefined;
}

/** The `items` of a page of a list. */
export function itemsOf(body: unknown): unknown[] {
  const { items } = (body ?? {}) as { items?: unknown };
  return Array.isArray(items) ? items : [];
}
