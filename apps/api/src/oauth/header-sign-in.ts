import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ClientAuthenticator } from '#access';
import { digest } from '#kernel';
import { signInByPassport } from '../http/passport-basic.ts';
import { ClientSignIn } from './client-sign-in.ts';
import type { SignedIn } from './client-sign-in.ts';
import { InvalidClient } from './oauth-error.ts';

/** As many clients as the service remembers. If there are more, the others sign in the long way. */
const MAX_HEADERS = 20_000;

/**
 * Signs clients and resource servers in by the text of their Authorization header. A header that was right is
 * remembered by its digest, together with the record that it was compared with. It counts only while the fence proves
 * that very record (docs/adr/0057-remembered-sign-ins.md).
 */
@Injectable()
export class HeaderSignIn {
  private readonly known = new LRUCache<string, SignedIn>({ max: MAX_HEADERS });

  constructor(
    private readonly clients: ClientSignIn,
    private readonly authenticator: ClientAuthenticator,
  ) {}

  /**
   * @param line the header; undefined if it is missing or present twice
   * @param address the caller's canonical address. Without it, nobody is let in from memory
   * @returns undefined if the header has to be read
   */
  remembered(line: string | undefined, address: string | undefined): SignedIn | undefined {
    if (line === undefined || address === undefined) return undefined;
    const key = digest(line);
    const user = this.known.get(key);
    if (user === undefined) return undefined;
    if (this.authenticator.isStillSignedIn(user)) return user;
    this.known.delete(key);
    return undefined;
  }

  /** @throws AuthenticationFailed, InvalidClient; DomainError `too-many-attempts`, `store-unavailable` */
  async signIn(
    line: string,
    { id, secret }: { readonly id: string; readonly secret: string },
    address: string | undefined,
  ): Promise<SignedIn> {
    const user = await signInByPassport(() => this.clients.signIn(id, secret, address));
    if (user === undefined) throw new InvalidClient();
    this.known.set(digest(line), user);
    return user;
  }
}
