import { Inject, Injectable } from '@nestjs/common';
import * as openid from 'openid-client';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Clock, DomainError } from '#kernel';
import { LOGGER, RepeatedNotice } from '#observability';
import type { Logger } from '#observability';
import { hasRolesClaim } from './oidc-claims.ts';
import type { PersonClaims } from './oidc-claims.ts';
import { reasonOf } from './reason-of.ts';

/** Time limit for one answer of the provider, in seconds. A sign-in asks at most four times. */
const PROVIDER_SECONDS = 2;
/** The pause after a failure of the provider, in milliseconds: anyone can begin a sign-in. */
const PAUSE_MS = 5_000;
const CLOCK_TOLERANCE_SECONDS = 5;
/** Error codes of openid-client for a missing or invalid answer, such as a timeout or a status 500. */
const NO_ANSWER_CODES = [undefined, 'OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM'];

type SsoConfig = NonNullable<NonNullable<Config['oidc']>['client']>;

/** The state of a sign-in until the person returns from the provider. It stays in their browser. */
export interface OidcFlow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where to go after the sign-in: a path of this service. */
  readonly returnTo: string;
}

/** The authorization-code flow with the company's OpenID Connect provider. The protocol is openid-client's. */
@Injectable()
export class OidcClient {
  private discovered: Promise<openid.Configuration> | undefined;
  private failedUntilMs = -Infinity;
  private readonly notice: RepeatedNotice;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) logger: Logger,
    private readonly clock: Clock,
  ) {
    this.notice = new RepeatedNotice((reason) =>
      logger.warn({ reason }, 'the OpenID Connect provider does not answer'),
    );
  }

  /**
   * Starts a sign-in: the URL of the provider's sign-in page, and the state that the browser has to keep.
   *
   * @throws DomainError `not-found`, `identity-provider-unavailable`
   */
  async begin(redirectUri: string, returnTo: string): Promise<{ readonly url: string; readonly flow: OidcFlow }> {
    const { scopes } = this.client();
    const flow = {
      ...{ state: openid.randomState(), nonce: openid.randomNonce() },
      ...{ verifier: openid.randomPKCECodeVerifier(), returnTo },
    };
    const url = openid.buildAuthorizationUrl(await this.asking(() => this.discover()), {
      redirect_uri: redirectUri,
      scope: scopes,
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(flow.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, flow };
  }

  /**
   * Completes a sign-in: the claims of the person who returned from the provider.
   *
   * @param callback the URL to which the provider sent the browser, as the provider knows it
   * @throws DomainError `not-found`, `sign-in-failed`, `identity-provider-unavailable`
   */
  async finish(callback: URL, { state, nonce, verifier }: OidcFlow): Promise<PersonClaims> {
    this.client();
    if (callback.searchParams.get('state') !== state) throw signInFailed('the state is not that of this browser');
    return this.asking(async () => {
      const configuration = await this.discover();
      const tokens = await openid.authorizationCodeGrant(configuration, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw signInFailed('no ID token');
      return this.withUserInfo(configuration, tokens.access_token, { ...claims });
    });
  }

  /** Many providers return groups only from the UserInfo endpoint (OpenID Connect Core 1.0, 5.4). */
  private async withUserInfo(
    configuration: openid.Configuration,
    accessToken: string,
    claims: PersonClaims,
  ): Promise<PersonClaims> {
    const { oidc } = this.config;
    const hasEndpoint = configuration.serverMetadata().userinfo_endpoint !== undefined;
    if (oidc === undefined || !hasEndpoint || hasRolesClaim(claims, oidc)) return claims;
    const userInfo = await openid.fetchUserInfo(configuration, accessToken, claims.sub);
    return { ...userInfo, ...claims };
  }

  private client(): SsoConfig {
    const client = this.config.oidc?.client;
    if (client === undefined) {
      throw new DomainError('not-found', 'Single sign-on is not configured. Sign in with user name and password.');
    }
    return client;
  }

  private discover(): Promise<openid.Configuration> {
    if (performance.now() < this.failedUntilMs) throw unavailable(new Error('it did not answer a moment ago'));
    const { issuer } = this.config.oidc ?? { issuer: '' };
    const { clientId, clientSecret } = this.client();
    this.discovered ??= openid
      .discovery(new URL(issuer), clientId, this.clockMetadata(), authentication(clientSecret), {
        timeout: PROVIDER_SECONDS,
        execute: [
          openid.enableNonRepudiationChecks,
          // the configuration takes http for loopback only
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- only marked so
          ...(issuer.startsWith('http:') ? [openid.allowInsecureRequests] : []),
        ],
      })
      .catch((error: unknown) => {
        this.discovered = undefined;
        throw new TypeError('discovery failed', { cause: error });
      });
    return this.discovered;
  }

  /** Makes openid-client use the store's clock instead of this machine's. */
  private clockMetadata(): Partial<openid.ClientMetadata> {
    const skewSeconds = Math.round((this.clock.nowMs() - Date.now()) / 1_000);
    return { [openid.clockSkew]: skewSeconds, [openid.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
  }

  private async asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DomainError) throw error;
      if (!isNoAnswer(error)) throw signInFailed(reasonOf(error), error);
      this.failedUntilMs = performance.now() + PAUSE_MS;
      this.notice.report(reasonOf(error));
      throw unavailable(error);
    }
  }
}

/**
 * How the client authenticates. HTTP Basic if the provider supports it or says nothing (OpenID Connect Discovery 1.0,
 * 3).
 */
function authentication(clientSecret: string): openid.ClientAuth {
  const basic = openid.ClientSecretBasic(clientSecret);
  const post = openid.ClientSecretPost(clientSecret);
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const authenticate = methods === undefined || methods.includes('client_secret_basic') ? basic : post;
    authenticate(server, client, body, headers);
  };
}

function isNoAnswer(error: unknown): boolean {
  if (error instanceof openid.ResponseBodyError) return error.status >= 500;
  if (error instanceof openid.ClientError) return NO_ANSWER_CODES.includes(error.code);
  return error instanceof TypeError;
}

function unavailable(cause: unknown): DomainError {
  return new DomainError(
    'identity-provider-unavailable',
    'The OpenID Connect provider does not answer. Try again in a few seconds.',
    { retryAfterSeconds: PAUSE_MS / 1_000, cause },
  );
}

function signInFailed(privateDetail: string, cause?: unknown): DomainError {
  return new DomainError(
    'sign-in-failed',
    'The sign-in at the OpenID Connect provider failed, or this browser has started another one since. Start again.',
    { privateDetail, cause },
  );
}
