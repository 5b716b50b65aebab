import type { FastifyReply } from 'fastify';
import { AuthenticationFailed, ForeignToken, ScopeRefused, TokenLimitReached } from '#access';
import { Refusal } from '#kernel';
import type { DomainError } from '#kernel';
import { errorStatus } from '../http/error-status.ts';

/** RFC 7617 2 and RFC 6749 5.2. Defined here, because @nestjs/passport drops the challenge of its strategy. */
export const BASIC_CHALLENGE = 'Basic realm="latchkey", charset="UTF-8"';

/** An error answer of an OAuth endpoint (RFC 6749 5.2). Contains only what the caller may know. */
export abstract class OAuthError extends Refusal {
  override readonly name: string = 'OAuthError';
  abstract readonly status: number;
  abstract readonly error: string;
  readonly headers: Readonly<Record<string, string>> = {};

  /** @param description in the character set of RFC 6749 5.2; never repeats submitted text */
  constructor(readonly description: string) {
    super(description);
  }
}

/** The request is malformed, or a parameter is missing, repeated or misplaced. */
export class InvalidRequest extends OAuthError {
  readonly error = 'invalid_request';

  constructor(
    description: string,
    readonly status: 400 | 404 | 405 | 413 = 400,
    override readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(description);
  }
}

/** Not authenticated. Once id and secret were read, every reason gives the same answer, byte for byte. */
export class InvalidClient extends OAuthError {
  readonly status = 401;
  readonly error = 'invalid_client';
  override readonly headers = { 'www-authenticate': BASIC_CHALLENGE };

  constructor(description = 'Client authentication failed.') {
    super(description);
  }

  static withoutBasic(): InvalidClient {
    return new InvalidClient('Authenticate with HTTP Basic: client id as user name, client secret as password.');
  }

  /**
   * RFC 6749 2.3.1 allows this refusal. Libraries that fall back to the body report this answer and hide the first one.
   */
  static secretInBody(): InvalidClient {
    return new InvalidClient(
      'Use HTTP Basic: a client secret in the body is not accepted. If your library tried HTTP Basic first, configure ' +
        'HTTP Basic only (Go: AuthStyleInHeader) to see the reason of that failure.',
    );
  }
}

export class UnsupportedGrantType extends OAuthError {
  readonly status = 400;
  readonly error = 'unsupported_grant_type';

  constructor() {
    super('The only supported grant type is client_credentials.');
  }
}

export class InvalidScope extends OAuthError {
  readonly status = 400;
  readonly error = 'invalid_scope';

  constructor() {
    super('The scope is malformed, unknown, or not granted to this client.');
  }
}

/** Too many live tokens or failed sign-ins (429), or the store is unavailable (503). */
export class TemporarilyUnavailable extends OAuthError {
  readonly error = 'temporarily_unavailable';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: 429 | 503,
    description: string,
    retryAfterSeconds: number,
  ) {
    super(description);
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

export class ServerError extends OAuthError {
  readonly status = 500;
  readonly error = 'server_error';

  constructor() {
    super('The request could not be processed.');
  }
}

/** The OAuth error of a refusal; undefined for any other error. */
export function oauthRefusalOf(thrown: unknown): OAuthError | undefined {
  if (thrown instanceof OAuthError) return thrown;
  if (thrown instanceof AuthenticationFailed) return new InvalidClient();
  if (thrown instanceof ScopeRefused) return new InvalidScope();
  if (thrown instanceof ForeignToken) return new InvalidRequest('The token was issued to another client.');
  if (thrown instanceof TokenLimitReached) {
    return new TemporarilyUnavailable(
      429,
      'This client has reached its limit of live tokens. Reuse a token until it expires.',
      thrown.retryAfterSeconds,
    );
  }
  return undefined;
}

/** The OAuth error of any other error. */
export function oauthErrorOf(error: DomainError): OAuthError {
  const status = errorStatus[error.code].status;
  if (status === 429)
    return new TemporarilyUnavailable(429, 'Too many failed sign-ins.', error.retryAfterSeconds ?? 60);
  if (status === 503)
    return new TemporarilyUnavailable(503, 'The service cannot answer at the moment.', error.retryAfterSeconds ?? 2);
  if (status === 413) return new InvalidRequest('The body is too large.', 413);
  if (status === 405) return new InvalidRequest(error.publicDetail, 405);
  if (status >= 400 && status < 500) return new InvalidRequest('The request cannot be read.');
  return new ServerError();
}

/** Sends the error in the format of RFC 6749 5.2. The request hooks set `Cache-Control` and `Pragma`. */
export function sendOAuthError(reply: FastifyReply, error: OAuthError): void {
  // keep the connection open: Fastify would close it, and the reset could overtake the answer; Node discards the rest
  if (error.status === 413) reply.removeHeader('connection');
  reply
    .code(error.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({ error: error.error, error_description: error.description });
}
