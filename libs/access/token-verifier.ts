import { Injectable } from '@nestjs/common';
import { CredentialReader } from '#credentials';
import type { CredentialRecord } from '#credentials';
import { Clock, clientIdOfAccessToken, digest } from '#kernel';
import { TokenRepository } from '#tokens';
import type { TokenDocument } from '#tokens';
import { effectiveScope } from './domain/scope.ts';

/** A token that is good, and what it is good for at this moment. */
export interface GoodToken {
  readonly token: TokenDocument;
  readonly credential: CredentialRecord;
  readonly scope: readonly string[];
}

/**
 * Decides whether a token is good, by reading the token and its credential. Both look-ups are sent together, since the
 * token carries its credential's handle; its checksum turns rubbish away without asking the store.
 */
@Injectable()
export class TokenVerifier {
  constructor(
    private readonly credentials: CredentialReader,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * @param text what was presented as a token
   * @returns undefined for whatever is not a live token of an active credential with a right left; addresses are not
   * looked at
   * @throws DomainError `store-unavailable`
   */
  verify(text: string): GoodToken | undefined | Promise<GoodToken | undefined> {
    const key = digest(text);
    const token = this.tokens.reader.peek(key);
    const credential = token === undefined ? undefined : this.credentials.peek(token.clientId);
    // what is remembered was issued here once: its checksum is right
    if (token !== undefined && credential !== undefined) return this.judge(token, credential);
    const clientId = clientIdOfAccessToken(text);
    return clientId === undefined ? undefined : this.read(key, clientId);
  }

  /**
   * The same by the store as it is now: for a verdict that would be a no by what is remembered, so that each no costs a
   * look-up, and no one learns from the time it takes whether there is such a token. (Text without the checksum of a
   * token is turned away before: that it is none, everyone can work out.)
   *
   * @throws DomainError `store-unavailable`
   */
  async verifyAfresh(text: string): Promise<GoodToken | undefined> {
    const clientId = clientIdOfAccessToken(text);
    if (clientId === undefined) return undefined;
    const [token, credential] = await Promise.all([
      this.tokens.reader.fresh(digest(text)),
      this.credentials.fresh(clientId),
    ]);
    return this.judge(token, credential);
  }

  private async read(key: string, clientId: string): Promise<GoodToken | undefined> {
    const [token, credential] = await Promise.all([this.tokens.reader.get(key), this.credentials.get(clientId)]);
    return this.judge(token, credential);
  }

  private judge(token: TokenDocument | undefined, credential: CredentialRecord | undefined): GoodToken | undefined {
    if (token === undefined || credential?.id !== token.credentialId || credential.blocked !== undefined)
      return undefined;
    const nowMs = this.clock.nowMs();
    // once expired for ever expired: a clock that is set back must not find them remembered
    if (nowMs >= token.expiresAt.getTime()) {
      this.tokens.reader.forget(token._id);
      return undefined;
    }
    if (nowMs >= credential.expiresAtMs) {
      this.credentials.forget(credential.clientId);
      return undefined;
    }
    const scope = effectiveScope(token.scope, credential.apis);
    return scope.length === 0 ? undefined : { token, credential, scope };
  }
}

/**
 * Whether a token may be used from an address.
 *
 * @param address the user's canonical address; undefined when the asker did not say. Then only a credential that may be
 *   used from anywhere passes
 */
export function mayUseFrom({ credential }: GoodToken, address: string | undefined): boolean {
  if (credential.allowedIpTexts.length === 0) return true;
  return address !== undefined && credential.allowedIps.admits(address);
}
