import { Inject, Injectable } from '@nestjs/common';
import { errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { OidcProvider, ProviderUnreachable } from './oidc-provider.ts';
import { ALGORITHMS, mayBeGood } from './unverified-token.ts';
import { reasonOf } from './reason-of.ts';

const CLOCK_TOLERANCE_SECONDS = 5;
const WARN_EVERY_MS = 10_000;

/**
 * Verifies access tokens of the company's OpenID Connect provider: signature, issuer, audience, times and type. A text
 * that cannot be one is refused without a request to the provider.
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
   * The claims of a valid token; undefined if it is invalid or no provider is configured.
   *
   * @throws DomainError `identity-provider-unavailable` when the provider's keys cannot be fetched
   */
  async claimsOf(token: string): Promise<(JWTPayload & { readonly sub: string }) | undefined> {
    const { oidc } = this.config;
    if (oidc === undefined || this.provider === undefined) return undefined;
    const required = {
      issuer: oidc.issuer,
      audience: oidc.audience,
      requiredClaims: ['exp', 'sub'],
      currentDate: this.clock.now(),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    };
    if (!mayBeGood(token, required)) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.provider.key, { ...required, algorithms: ALGORITHMS });
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
      this.logger.warn({ reason: reasonOf(error) }, 'the OpenID Connect provider does not answer');
    }
    return new DomainError(
      'identity-provider-unavailable',
      'The OpenID Connect provider does not return its keys. Try again.',
      { retryAfterSeconds: 5, cause: error },
    );
  }
}
