import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';

/** What cannot be the value of a session's cookie is not looked up. */
const VALUE = /^[\w-]{1,128}$/;

/**
 * The cookie of a session (RFC 6265bis). Over https its name has a prefix that browsers hold it to: `__Host-` ties it to this host, and
 * demands the path `/`. Where PUBLIC_URL has a path, other services share the host and must not get the cookie: then it keeps to that
 * path, under the prefix `__Secure-` (docs/adr/0030-sessions.md).
 */
@Injectable()
export class SessionCookie {
  readonly name: string;
  private readonly attributes: string;

  constructor(@Inject(CONFIG) { publicUrl, publicPath }: Pick<Config, 'publicUrl' | 'publicPath'>) {
    const isSecure = publicUrl.startsWith('https:');
    const prefix = publicPath === '' ? '__Host-' : '__Secure-';
    this.name = isSecure ? `${prefix}latchkey` : 'latchkey';
    this.attributes = `Path=${publicPath || '/'}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  }

  /** The value in a `Cookie` header; of several with this name, the first (RFC 6265 5.4: the one with the longest path). */
  read(header: string | undefined): string | undefined {
    for (const pair of header?.split(';') ?? []) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== this.name) continue;
      const value = pair.slice(equals + 1).trim();
      return VALUE.test(value) ? value : undefined;
    }
    return undefined;
  }

  /** `Set-Cookie` of a new session. Without a lifetime: the browser forgets it when it is closed. */
  set(value: string): string {
    return `${this.name}=${value}; ${this.attributes}`;
  }

  /** `Set-Cookie` that removes it. */
  clear(): string {
    return `${this.name}=; Max-Age=0; ${this.attributes}`;
  }
}
