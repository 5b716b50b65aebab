import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';

/** What cannot be the value of a cookie of ours is not looked up. */
const VALUE = /^[\w-]{1,2048}$/;

/** A cookie of the service (RFC 6265bis). */
export class Cookie {
  constructor(
    readonly name: string,
    private readonly attributes: string,
  ) {}

  /** The value in a `Cookie` header. Of several, the first: it has the longest path (RFC 6265 5.4). */
  read(header: string | undefined): string | undefined {
    for (const pair of header?.split(';') ?? []) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== this.name) continue;
      const value = pair.slice(equals + 1).trim();
      return VALUE.test(value) ? value : undefined;
    }
    return undefined;
  }

  /** `Set-Cookie`. @param maxSeconds without it the browser forgets the cookie when it is closed */
  set(value: string, maxSeconds?: number): string {
    const lifetime = maxSeconds === undefined ? '' : ` Max-Age=${maxSeconds};`;
    return `${this.name}=${value};${lifetime} ${this.attributes}`;
  }

  /** `Set-Cookie` that removes it. */
  clear(): string {
    return this.set('', 0);
  }
}

/**
 * The cookie of a session. Over https its name has a prefix that browsers hold it to: `__Host-` ties it to this host,
 * and demands the path `/`. Where PUBLIC_URL has a path, other services share the host and must not get the cookie:
 * then it keeps to that path, under the prefix `__Secure-` (docs/adr/0030-sessions.md).
 */
@Injectable()
export class SessionCookie extends Cookie {
  private readonly shared: { readonly prefix: string; readonly attributes: string };

  constructor(@Inject(CONFIG) { publicUrl, publicPath }: Pick<Config, 'publicUrl' | 'publicPath'>) {
    const isSecure = publicUrl.startsWith('https:');
    const prefix = isSecure ? (publicPath === '' ? '__Host-' : '__Secure-') : '';
    const attributes = `Path=${publicPath || '/'}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
    super(`${prefix}latchkey`, attributes);
    this.shared = { prefix, attributes };
  }

  /** Another cookie of the service, under the same rules. */
  other(name: string): Cookie {
    const { prefix, attributes } = this.shared;
    return new Cookie(`${prefix}latchkey-${name}`, attributes);
  }
}
