import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';

/** Other values cannot be a session and are not looked up. */
const VALUE = /^[\w-]{1,128}$/;

/**
 * The cookie of a session (RFC 6265bis, ADR 0030). Over https, `__Host-` binds it to this host and the path `/`. If
 * PUBLIC_URL has a path, other services share the host, so the cookie has that path and the prefix `__Secure-`.
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

  /** `Set-Cookie` of a new session. Without a lifetime, so the browser drops it when it is closed. */
  set(value: string): string {
    return `${this.name}=${value}; ${this.attributes}`;
  }

  /** `Set-Cookie` that removes it. */
  clear(): string {
    return `${this.name}=; Max-Age=0; ${this.attributes}`;
  }
}
