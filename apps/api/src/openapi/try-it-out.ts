/** A request as Swagger UI shows it to its interceptors, as far as it is used here. */
export interface UiRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  credentials?: string;
}

/** An answer as Swagger UI shows it to its interceptors. */
export interface UiResponse {
  readonly ok?: boolean;
  readonly status?: number;
  readonly url?: string;
  readonly text?: string;
}

/** What stands for what in the examples: filled by `remember`, used by `fillIn`. It lives as long as the page. */
interface Memory {
  latchkeyExamples?: Record<string, string>;
}

/*
 * Both functions are sent to the browser as their own source text, so they may use nothing from around them.
 */

/** Puts the ids that `remember` kept in place of the examples' placeholders, just before a request is sent. */
export function fillIn(request: UiRequest): UiRequest {
  const known = (globalThis as Memory).latchkeyExamples ?? {};
  const replace = (text: string): string =>
    text.replace(/\b(?:op|cr|rs|us|tk|ev|job|lk_at)_example\b/g, (name) => known[name] ?? name);
  request.url = replace(request.url);
  if (typeof request.body === 'string') request.body = replace(request.body);
  // a 401 must not make the browser ask for a password in a window of its own
  request.credentials = 'omit';
  const { headers } = request;
  if (headers && request.url.includes('/oauth2/forward-auth')) {
    const gateway = Object.keys(headers).find((name) => name.toLowerCase() === 'x-forward-auth-authorization');
    if (gateway !== undefined && headers[gateway] === 'Basic rs_example' && known['rs_pair'] !== undefined) {
      headers[gateway] = `Basic ${btoa(known['rs_pair'])}`;
    }
    const token = known['lk_at_example'];
    const signedIn = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
    if (!signedIn && token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  }
  return request;
}

/** Keeps the id of what was made, and of what was listed first where nothing was made yet. */
export function remember(response: UiResponse): UiResponse {
  const memory = globalThis as Memory;
  const known = (memory.latchkeyExamples ??= {});
  const path = new URL(response.url ?? '', 'http://localhost').pathname;
  const placeholders: readonly (readonly [RegExp, string])[] = [
    // PUBLIC_URL may have a path, which then comes first
    [/\/v1\/operations$/, 'op_example'],
    [/\/v1\/operations\/[^/]+\/credentials$/, 'cr_example'],
    [/\/v1\/operations\/[^/]+\/credentials\/[^/]+\/tokens$/, 'tk_example'],
    [/\/v1\/resource-servers$/, 'rs_example'],
    [/\/v1\/users$/, 'us_example'],
    [/\/v1\/events$/, 'ev_example'],
    [/\/v1\/jobs$/, 'job_example'],
  ];
  const placeholder = placeholders.find(([pattern]) => pattern.test(path))?.[1];
  try {
    if (response.ok !== true || response.text === undefined) return response;
    const body = JSON.parse(response.text) as Record<string, unknown>;
    if (typeof body['access_token'] === 'string') known['lk_at_example'] = body['access_token'];
    if (placeholder === undefined) return response;
    if (typeof body['id'] === 'string') {
      known[placeholder] = body['id'];
      if (typeof body['resourceServerSecret'] === 'string')
        known['rs_pair'] = `${body['id']}:${body['resourceServerSecret']}`;
    }
    const first = (body['items'] as { id?: unknown }[] | undefined)?.[0]?.id;
    // of tokens, events and jobs none can be made here: the newest list counts
    const listOnly = placeholder === 'tk_example' || placeholder === 'ev_example' || placeholder === 'job_example';
    if (typeof first === 'string' && (listOnly || known[placeholder] === undefined)) known[placeholder] = first;
  } catch {
    // no JSON, nothing to keep
  }
  return response;
}
