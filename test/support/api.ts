import { ADMIN } from './service.ts';

/** A value out of JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A response. `body` is the parsed JSON, or the text if it is not JSON; undefined if empty. */
export interface Answer<T = Record<string, Json>> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
  /** The ETag, for If-Match; '' if there is none. */
  readonly etag: string;
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
}

export interface OperationBody {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly requireAllowedIps: boolean;
  readonly policy: Record<string, number | true | null>;
  readonly credentialLimit: number;
  readonly credentialCount: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ApiBody {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export interface SecretBody {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  /** In lists of secrets only. */
  readonly current?: boolean;
}

export interface CredentialBody {
  readonly id: string;
  readonly operationId: string;
  readonly name: string;
  readonly description: string;
  readonly owner: string | null;
  readonly contact: string | null;
  readonly labels: Record<string, string>;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly apis: string[];
  readonly allowedIps: string[];
  readonly unrestrictedIps: boolean;
  readonly status: string;
  readonly expiresAt: string | null;
  readonly tokenTtlSeconds: number;
  readonly tokenLimitPolicy: string;
  readonly secrets: SecretBody[];
  readonly liveTokens: number;
  readonly lastUsedAt: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

export interface EventBody {
  readonly id: string;
  readonly seq: number;
  readonly operationId: string | null;
  readonly type: string;
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string; readonly ip: string | null };
  readonly subject: { readonly type: string; readonly id: string };
  readonly outcome: string;
  readonly data: Record<string, Json>;
  readonly requestId: string | null;
}

export interface PageBody<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

export interface Call {
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged, in place of `body`. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** If-Match. */
  readonly ifMatch?: string;
  /** Idempotency-Key. */
  readonly idempotencyKey?: string;
}

/** A pair for HTTP Basic. */
export interface SignIn {
  readonly username: string;
  readonly password: string;
}

/** The session cookie, as a browser sends it from a page of the service. */
export interface BrowserSession {
  readonly cookie: string;
}

/** A token or API key for `Authorization: Bearer`. */
export interface BearerToken {
  readonly bearer: string;
}

export function basic({ username, password }: SignIn): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The part of a `Set-Cookie` that a browser sends back. */
export function cookieOf(headers: Headers): string {
  return headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** The HTTP API of one instance, as one person uses it. */
export class Api {
  /** @param url of the instance @param signIn the caller: by default the first platform-admin; null for nobody */
  constructor(
    readonly url: string,
    private readonly signIn: SignIn | BrowserSession | BearerToken | null = ADMIN,
  ) {}

  /** The person's sign-in, for calls that this driver cannot make. */
  get headers(): Record<string, string> {
    const { signIn } = this;
    if (signIn === null) return {};
    if ('cookie' in signIn) return { cookie: signIn.cookie, 'sec-fetch-site': 'same-origin' };
    return { authorization: 'bearer' in signIn ? `Bearer ${signIn.bearer}` : basic(signIn) };
  }

  /** The same instance as another person. */
  as(signIn: SignIn | BrowserSession | BearerToken | null): Api {
    return new Api(this.url, signIn);
  }

  /** The same instance as this person, with a new session. @throws Error if the sign-in is refused */
  async inSession({ username, password }: SignIn): Promise<Api> {
    const signIn = (): Promise<Answer> => this.as(null).post('/v1/session', { username, password });
    let answer = await signIn();
    // on a busy machine: a refused write was not made, so it can be repeated
    for (let again = 0; answer.status === 503 && again < 5; again += 1) answer = await signIn();
    const { status, headers, text } = answer;
    if (status !== 204) throw new Error(`no session: ${status} ${text}`);
    return this.as({ cookie: cookieOf(headers) });
  }

  async call<T = Record<string, Json>>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
    const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const headers: Record<string, string> = {
      ...this.headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(call.ifMatch === undefined ? {} : { 'if-match': call.ifMatch }),
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
      ...call.headers,
    };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
    });
    return read<T>(response);
  }

  get<T = Record<string, Json>>(path: string, call?: Call): Promise<Answer<T>> {
    return this.call<T>('GET', path, call);
  }

  post<T = Record<string, Json>>(path: string, body?: unknown, call: Call = {}): Promise<Answer<T>> {
    return this.call<T>('POST', path, { ...call, body });
  }

  put<T = Record<string, Json>>(path: string, body: unknown, call: Call = {}): Promise<Answer<T>> {
    return this.call<T>('PUT', path, { ifMatch: '*', ...call, body });
  }

  patch<T = Record<string, Json>>(path: string, body: unknown, call: Call = {}): Promise<Answer<T>> {
    return this.call<T>('PATCH', path, { ifMatch: '*', ...call, body });
  }

  delete<T = Record<string, Json>>(path: string, call: Call = {}): Promise<Answer<T>> {
    return this.call<T>('DELETE', path, { ifMatch: '*', ...call });
  }

  /** `POST /oauth2/token` as the client. */
  token(client: { clientId: string; clientSecret: string }, scope?: string): Promise<Answer> {
    const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) };
    return this.form('/oauth2/token', { username: client.clientId, password: client.clientSecret }, form);
  }

  /** `POST /oauth2/introspect` as a resource server, or as a client about its own token. */
  introspect(asker: SignIn, token: string, clientIp?: string): Promise<Answer> {
    return this.form('/oauth2/introspect', asker, {
      token,
      ...(clientIp === undefined ? {} : { client_ip: clientIp }),
    });
  }

  /** `POST /oauth2/revoke` as the client. */
  revoke(client: { clientId: string; clientSecret: string }, token: string): Promise<Answer> {
    return this.form('/oauth2/revoke', { username: client.clientId, password: client.clientSecret }, { token });
  }

  private form(path: string, signIn: SignIn, fields: Record<string, string>): Promise<Answer> {
    return this.as(signIn).call('POST', path, {
      raw: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
  }

  /** Every item of a paged list. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    const join = path.includes('?') ? '&' : '?';
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { status, body, text }: Answer<PageBody<T>> = await this.get<PageBody<T>>(
        `${path}${join}limit=100${query}`,
      );
      if (status !== 200) throw new Error(`${path} answers ${status}: ${text}`);
      items.push(...body.items);
      cursor = body.nextCursor;
    }
    return items;
  }

  /** Events of a type about a subject, newest first. */
  events(filter: {
    readonly type?: string;
    readonly subject?: string;
    readonly operationId?: string;
  }): Promise<EventBody[]> {
    return this.all<EventBody>(`/v1/events?${new URLSearchParams(filter as Record<string, string>).toString()}`);
  }
}

async function read<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (isJson && text !== '' ? JSON.parse(text) : text === '' ? undefined : text) as T,
    etag: response.headers.get('etag') ?? '',
  };
}
