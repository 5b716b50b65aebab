import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, ProtectedHeaderParameters } from 'jose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { OidcProvider, ProviderUnreachable } from './oidc-provider.ts';

const CLOCK_TOLERANCE_SECONDS = 5;
const WARN_EVERY_MS = 10_000;
/** Only algorithms with a public key: with a shared secret, or `none`, anyone could make tokens (RFC 8725 3.1). */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const ACCESS_TOKEN = 'at+jwt';
/** RFC 9068 2.1 wants `at+jwt`; most providers still send `JWT`, or nothing. Any other type is another kind of token (RFC 8725 3.11). */
const TYPES: readonly (string | undefined)[] = [undefined, 'jwt', ACCESS_TOKEN];
/** RFC 9068 2.2: what a token that calls itself an access token by this RFC must hold. */
const ACCESS_TOKEN_CLAIMS = ['client_id', 'iat', 'jti'];
/** Members that only other kinds have: logout tokens and other events (RFC 8417 2.2), ID tokens (OpenID Connect Core 3.1.3.6, 3.3.2.11). */
const FOREIGN_CLAIMS = ['events', 'at_hash', 'c_hash'];

/**
 * Checks access tokens of the company's OpenID Connect provider: signature, issuer, audience, times and kind. What cannot be one is refused
 * before the provider is asked for anything.
 */
@Injectable()
export class OidcTokens {
  private readonly provider: OidcProvider | undefined;
  private warnedAtMs = -Infinity;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly clock: Clock,
  ) {
    this.provider = config.oidc === undefined ? undefined : new OidcProvider(config.oidc.issuer);
  }

  /**
   * The claims of a token that is good here and now; undefined when it is not, or when no provider is configured.
   *
   * @throws DomainError `identity-provider-unavailable` when the provider's keys cannot be fetched
   */
  async claimsOf(token: string): Promise<(JWTPayload & { readonly sub: string }) | undefined> {
    const { oidc } = this.config;
    if (oidc === undefined || this.provider === undefined || !mayBeGood(token, oidc.issuer)) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.provider.key, {
        issuer: oidc.issuer,
        audience: oidc.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        currentDate: this.clock.now(),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      // RFC 7519 4.1.2: a subject is a string; a number that is made one could be another person's
      return typeof payload.sub === 'string' ? { ...payload, sub: payload.sub } : undefined;
    } catch (error) {
      if (error instanceof ProviderUnreachable) throw this.unavailable(error);
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  private unavailable(error: ProviderUnreachable): DomainError {
    if (performance.now() - this.warnedAtMs >= WARN_EVERY_MS) {
      this.warnedAtMs = performance.now();
      this.logger.warn({ reason: reasonOf(error) }, 'OpenID Connect provider cannot be asked');
    }
    return new DomainError(
      'identity-provider-unavailable',
      'The OpenID Connect provider cannot be asked for its keys at the moment. Try again.',
      { retryAfterSeconds: 5, cause: error },
    );
  }
}

/** Whether it is worth to look at the signature: by what the token says of itself, which nobody vouches for yet. */
function mayBeGood(token: string, issuer: string): boolean {
  let header: ProtectedHeaderParameters;
  let claims: JWTPayload;
  try {
    header = decodeProtectedHeader(token);
    claims = decodeJwt(token);
  } catch {
    return false;
  }
  return (
    header.alg !== undefined &&
    ALGORITHMS.includes(header.alg) &&
    claims.iss === issuer &&
    isAccessToken(header, claims)
  );
}

function isAccessToken({ typ }: ProtectedHeaderParameters, claims: JWTPayload): boolean {
  // nothing is verified yet: the header may hold anything
  if (typ !== undefined && typeof typ !== 'string') return false;
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (!TYPES.includes(type) || FOREIGN_CLAIMS.some((name) => Object.hasOwn(claims, name))) return false;
  // Keycloak signs all kinds with one key and `typ: JWT`, and tells them apart by a claim
  if (claims['typ'] !== undefined && claims['typ'] !== 'Bearer') return false;
  return type !== ACCESS_TOKEN || ACCESS_TOKEN_CLAIMS.every((name) => Object.hasOwn(claims, name));
}

/** Messages of the error and its causes, without their stacks. */
function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error && messages.length < 5; cause = cause.cause)
    messages.push(cause.message);
  return messages.join(': ');
}
