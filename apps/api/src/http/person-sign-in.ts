import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { PrincipalAuthenticator } from '#identity';
import type { Principal } from '#identity';
import { parseUserAuthorization } from './basic-authorization.ts';
import { parseBearerAuthorization } from './bearer-authorization.ts';
import { checkNotCrossSite, checkSameOrigin } from './cross-site.ts';
import type { LatchkeyRequest } from './latchkey-request.ts';
import { signInByPassport } from './passport-basic.ts';
import { SessionCookie } from './session-cookie.ts';
import {
  badApiKey,
  badBearerToken,
  noLiveSession,
  unauthenticated,
  unknownAddress,
  unprintablePassword,
  wrongPassword,
} from './unauthenticated.ts';

const API_KEY_PREFIX = 'lk_ak_';

/** Finds out which person sends a request: by its `Authorization`, or without one by its session cookie. */
@Injectable()
export class PersonSignIn {
  private readonly origin: string;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly authenticator: PrincipalAuthenticator,
    private readonly cookie: SessionCookie,
  ) {
    this.origin = new URL(config.publicUrl).origin;
  }

  /** @throws DomainError `unauthenticated`, `cross-site-request`, or an error of the authenticator */
  async principalOf(request: LatchkeyRequest): Promise<Principal> {
    const { rawHeaders } = request.raw;
    const pair = parseUserAuthorization(rawHeaders);
    if (typeof pair === 'object') return this.byPassword(pair, request);
    if (pair === 'absent') return this.bySession(request);
    if (pair === 'unprintable') throw unprintablePassword();
    const bearer = pair === 'other-scheme' ? parseBearerAuthorization(rawHeaders) : pair;
    if (typeof bearer !== 'object') throw unauthenticated();
    return this.byBearer(bearer.token, request);
  }

  private async byBearer(token: string, { clientAddress, id: requestId }: LatchkeyRequest): Promise<Principal> {
    const ip = clientAddress ?? null;
    if (token.startsWith(API_KEY_PREFIX)) {
      const service = await this.authenticator.apiKey(token, ip);
      if (service === undefined) throw badApiKey();
      return service;
    }
    const person = await this.authenticator.bearer(token, { ip, requestId });
    if (person === undefined) throw badBearerToken();
    return person;
  }

  private async byPassword(
    { username, password }: { readonly username: string; readonly password: string },
    request: LatchkeyRequest,
  ): Promise<Principal> {
    const { clientAddress } = request;
    checkNotCrossSite(request);
    if (clientAddress === undefined) throw unknownAddress();
    const person = await signInByPassport(() => this.authenticator.basic(username, password, clientAddress));
    if (person === undefined) throw wrongPassword();
    return person;
  }

  private async bySession(request: LatchkeyRequest): Promise<Principal> {
    const token = this.cookie.read(request.headers.cookie);
    if (token === undefined) throw unauthenticated();
    const principal = await this.authenticator.session(token, request.clientAddress ?? null);
    if (principal === undefined) throw noLiveSession();
    checkSameOrigin(request, this.origin);
    return principal;
  }
}
