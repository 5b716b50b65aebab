import { Injectable } from '@nestjs/common';
import { CredentialReader } from '#credentials';
import type { CredentialRecord } from '#credentials';
import { Clock, clientIdOfAccessToken, digest, whenReady } from '#kernel';
import { TokenRepository } from '#tokens';
import type { TokenDocument } from '#tokens';
import { refusalOfAddress, refusalOfState } from './domain/judgement.ts';
import { effectiveScope } from './domain/scope.ts';

/**
 * A valid token and its current rights. It stays the same object while token and credential do,
 * so answers can be prepared for it.
 */
export interface GoodToken {
  readonly token: TokenDocument;
  readonly credential: CredentialRecord;
  readonly scope: readonly string[];
}

/**
 * Decides whether a token is good, by reading the token and its credential. Both reads are sent together, because the
 * token contains its credential's handle. Text without the checksum of a token is refused without a read.
 */
@Injectable()
export class TokenVerifier {
  private readonly judged = new WeakMap<TokenDocument, GoodToken>();

  constructor(
    private readonly credentials: CredentialReader,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * Judges what was presented as a token. Re-reads from the store before saying no, so every rejection costs one
   * look-up and timing reveals nothing.
   *
   * @param judge the verdict about the token; undefined if it is not valid
   * @returns synchronously for a yes from memory, as for most tokens in use
   * @throws DomainError `store-unavailable`, and the errors of `judge`. May throw or reject
   */
  decide<V>(text: string, judge: (good: GoodToken | undefined) => V, isYes: (verdict: V) => boolean): V | Promise<V> {
    const good = this.verify(text);
    if (good instanceof Promise) return good.then(judge);
    const verdict = judge(good);
    return isYes(verdict) ? verdict : whenReady(this.verifyAfresh(text), judge);
  }

  /**
   * @returns undefined unless the token is live, its credential is active and at least one scope remains. Does not
   * check addresses
   * @throws DomainError `store-unavailable`
   */
  verify(text: string): GoodToken | undefined | Promise<GoodToken | undefined> {
    const key = digest(text);
    const token = this.tokens.reader.peek(key);
    const credential = token === undefined ? undefined : this.credentials.peek(token.clientId);
    // a cached token was read from the store, so its checksum is right
    if (token !== undefined && credential !== undefined) return this.judge(token, credential);
    const clientId = clientIdOfAccessToken(text);
    return clientId === undefined ? undefined : this.read(key, clientId);
  }

  /** Everybody can compute that text without the checksum is not a token, so its refusal needs no read. */
  private async verifyAfresh(text: string): Promise<GoodToken | undefined> {
    const clientId = clientIdOfAccessToken(text);
    if (clientId === undefined) return undefined;
    const [token, credential] = await Promise.all([
      this.tokens.reader.fresh(digest(text)),
      this.credentials.fresh(clientId),
    ]);
    return this.judge(token, credential);
  }

  /**
   * The credential of a genuine token that is refused because its credential is disabled or its operation suspended. By
   * the cache alone, for counting: call it after a verification of this token.
   */
  blockOf(text: string): { readonly credentialId: string; readonly reason: 'disabled' | 'suspended' } | undefined {
    const token = this.tokens.reader.peek(digest(text));
    const credential = token === undefined ? undefined : this.credentials.peek(token.clientId);
    if (credential?.blocked === undefined || credential.id !== token?.credentialId) return undefined;
    return { credentialId: credential.id, reason: credential.blocked };
  }

  private async read(key: string, clientId: string): Promise<GoodToken | undefined> {
    const [token, credential] = await Promise.all([this.tokens.reader.get(key), this.credentials.get(clientId)]);
    return this.judge(token, credential);
  }

  private judge(token: TokenDocument | undefined, credential: CredentialRecord | undefined): GoodToken | undefined {
    if (token === undefined || credential?.id !== token.credentialId) return undefined;
    const nowMs = this.clock.nowMs();
    // dropped from the cache: a clock that is set back must not revive it
    if (nowMs >= token.expiresAt.getTime()) {
      this.tokens.reader.forget(token._id);
      return undefined;
    }
    const refusal = refusalOfState(credential, nowMs);
    if (refusal === 'expired') this.credentials.forget(credential.clientId);
    if (refusal !== undefined) return undefined;
    const known = this.judged.get(token);
    if (known?.credential === credential) return known;
    const scope = effectiveScope(token.scope, credential.apis);
    if (scope.length === 0) return undefined;
    const good = { token, credential, scope };
    this.judged.set(token, good);
    return good;
  }
}

/**
 * Whether a token may be used from an address.
 *
 * @param address the user's canonical address; undefined if the asker did not send it. Then only a credential without
 *   Allowed IPs passes
 */
export function mayUseFrom({ credential }: GoodToken, address: string | undefined): boolean {
  return credential.allowedIpTexts.length === 0 || refusalOfAddress(credential, address) === undefined;
}
