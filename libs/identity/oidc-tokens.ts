import { Inject, Injectable } from '@nestjs/common';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload, RemoteJWKSet } from 'jose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';

/** How long the provider may take for one answer, in milliseconds. */
const PROVIDER_MS = 2_000;
const CLOCK_TOLERANCE_SECONDS = 5;
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

/** Thrown inside when the provider cannot be asked; what is wrong with a token itself is another matter. */
class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable';
}

/** Checks tokens of the company's OpenID Connect provider: signature, issuer, audience and times. */
@Injectable()
export class OidcTokens {
  private keys: Promise<RemoteJWKSet> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly clock: Clock,
  ) {}

  /**
   * The claims of a token that is good here and now; undefined when it is not, or when no provider is configured.
   *
   * @throws DomainError `identity-provider-unavailable` when the provider's keys cannot be fetched
   */
  async claimsOf(token: string): Promise<JWTPayload | undefined> {
    const { oidc } = this.config;
    if (oidc === undefined) return undefined;
    try {
      const keys = await this.fetchedKeys(oidc.issuer);
      const { payload } = await jwtVerify(token, (header, jws) => asked(keys(header, jws)), {
        issuer: oidc.issuer,
        audience: oidc.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        currentDate: this.clock.now(),
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return payload;
    } catch (error) {
      if (error instanceof ProviderUnreachable) throw this.unavailable(error);
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** The provider's keys as its discovery document names them; asked again after a failure. */
  private async fetchedKeys(issuer: string): Promise<RemoteJWKSet> {
    this.keys ??= discover(issuer);
    try {
      return await this.keys;
    } catch (error) {
      this.keys = undefined;
      throw error;
    }
  }

  private unavailable(error: ProviderUnreachable): DomainError {
    this.logger.warn({ err: error.cause ?? error }, 'OpenID Connect provider cannot be asked');
    return new DomainError(
      'identity-provider-unavailable',
      'The OpenID Connect provider cannot be asked for its keys at the moment. Try again.',
      { retryAfterSeconds: 2, cause: error },
    );
  }
}

/** OpenID Connect Discovery 1.0, 4. @throws ProviderUnreachable */
async function discover(issuer: string): Promise<RemoteJWKSet> {
  try {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PROVIDER_MS) });
    if (!response.ok) throw new Error(`discovery answered ${response.status}`);
    const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    // 4.3: a document of another issuer must not be used
    if (document.issuer !== issuer) throw new Error('the discovery document is of another issuer');
    if (typeof document.jwks_uri !== 'string') throw new Error('the discovery document names no jwks_uri');
    return createRemoteJWKSet(new URL(document.jwks_uri), { timeoutDuration: PROVIDER_MS });
  } catch (error) {
    throw new ProviderUnreachable('discovery failed', { cause: error });
  }
}

/** Tells a provider that cannot be asked from a token whose key it does not have. */
async function asked<T>(key: Promise<T>): Promise<T> {
  try {
    return await key;
  } catch (error) {
    // whatever is not one of these came of fetching: time-outs, refused connections, statuses, bodies
    const ofTheToken =
      error instanceof errors.JWKSNoMatchingKey ||
      error instanceof errors.JWKSMultipleMatchingKeys ||
      error instanceof errors.JOSENotSupported ||
      error instanceof errors.JWKInvalid;
    throw ofTheToken ? error : new ProviderUnreachable('keys not fetched', { cause: error });
  }
}
