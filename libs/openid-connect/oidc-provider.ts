import { createRemoteJWKSet, customFetch, errors } from 'jose';
import type { JWTVerifyGetKey, RemoteJWKSet } from 'jose';

/** Time limit for one answer of the provider, in milliseconds. */
const ANSWER_MS = 2_000;
/** The pause after a failure of the provider, in milliseconds: anyone can send tokens that need its keys. */
const PAUSE_MS = 5_000;

/** The provider does not answer, so the token cannot be judged. */
export class ProviderUnreachable extends Error {
  override readonly name = 'ProviderUnreachable';
}

/** The keys of an OpenID Connect provider, as its discovery document names them. */
export class OidcProvider {
  private keys: Promise<RemoteJWKSet> | undefined;
  private failedUntilMs = -Infinity;
  private failure: unknown;

  constructor(private readonly issuer: string) {}

  /** For jose. @throws ProviderUnreachable */
  readonly key: JWTVerifyGetKey = async (header, token) => {
    const keys = await this.discovered();
    try {
      return await keys(header, token);
    } catch (error) {
      // every other error comes from the request: timeouts, refused connections, statuses, bodies
      const isOfTheToken =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported ||
        error instanceof errors.JWKInvalid;
      if (isOfTheToken) throw error;
      throw this.failed('the keys cannot be fetched', error);
    }
  };

  /** Runs discovery once; after a failure again, but not immediately. */
  private async discovered(): Promise<RemoteJWKSet> {
    this.keys ??= this.discover();
    try {
      return await this.keys;
    } catch (error) {
      this.keys = undefined;
      throw this.failed('discovery failed', error);
    }
  }

  /** OpenID Connect Discovery 1.0, 4. */
  private async discover(): Promise<RemoteJWKSet> {
    const url = `${this.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await this.ask(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) throw new Error(`discovery answered ${response.status}`);
    const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    // 4.3: a document of another issuer must not be used
    if (document.issuer !== this.issuer) throw new Error('the discovery document is of another issuer');
    if (typeof document.jwks_uri !== 'string') throw new Error('the discovery document names no jwks_uri');
    const jwksUri = new URL(document.jwks_uri);
    // RFC 8414 2: over http, an attacker on the network could replace the keys
    if (jwksUri.protocol !== 'https:' && new URL(this.issuer).protocol === 'https:') {
      throw new Error('the jwks_uri of the discovery document is no https URL');
    }
    return createRemoteJWKSet(jwksUri, {
      timeoutDuration: ANSWER_MS,
      [customFetch]: (address, options) => this.ask(address, options),
    });
  }

  /** Sends every request to the provider. */
  private ask(url: string, options: RequestInit): Promise<Response> {
    if (performance.now() < this.failedUntilMs) {
      return Promise.reject(new ProviderUnreachable('it failed a moment ago', { cause: this.failure }));
    }
    return fetch(url, options);
  }

  private failed(what: string, error: unknown): ProviderUnreachable {
    if (error instanceof ProviderUnreachable) return error;
    this.failedUntilMs = performance.now() + PAUSE_MS;
    this.failure = error;
    return new ProviderUnreachable(what, { cause: error });
  }
}
