import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';
import { Provider } from 'oidc-provider';
import { freePort } from '../../tools/local-stores/ports.ts';

const CLIENT = { id: 'latchkey-web', secret: 'a secret that only this test knows' };
const AUDIENCE = 'latchkey';
const TOKEN_SECONDS = 300;

/**
 * A company's OpenID Connect provider: oidc-provider, with a sign-in page that lets anyone in under the name they
 * type.
 */
export class CompanyProvider {
  readonly issuer: string;
  /** Groups of people, by the name that they sign in with. */
  readonly groups = new Map<string, string[]>();
  /** Every token and code that it gave to the service. */
  readonly issued: string[] = [];
  private server: Server | undefined;

  private constructor(
    private readonly port: number,
    private readonly key: CryptoKey,
  ) {
    this.issuer = `http://127.0.0.1:${port}`;
  }

  static async create(): Promise<CompanyProvider> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    return new CompanyProvider(await freePort(), privateKey);
  }

  /** Variables of a service whose people come from here. */
  get env(): Record<string, string> {
    return {
      OIDC_ISSUER: this.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_CLIENT_ID: CLIENT.id,
      OIDC_CLIENT_SECRET: CLIENT.secret,
      OIDC_ROLES_CLAIM: 'groups',
    };
  }

  /** @param publicUrl of the service that people sign in to */
  async start(publicUrl: string): Promise<void> {
    const claimsOf = (name: string): object => ({
      sub: name,
      preferred_username: name,
      groups: this.groups.get(name) ?? [],
    });
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [`${publicUrl}/auth/oidc/callback`],
        },
      ],
      jwks: { keys: [{ ...(await exportJWK(this.key)), kid: 'company', alg: 'RS256', use: 'sig' }] },
      cookies: { keys: ['a key of the test'] },
      claims: { openid: ['sub', 'groups'], profile: ['preferred_username'] },
      findAccount: (_context: unknown, name: string) => ({ accountId: name, claims: () => claimsOf(name) }),
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    });
    provider.on('grant.success', ({ oidc, body }: { oidc: { params?: object }; body?: object }) => {
      const { code, code_verifier } = (oidc.params ?? {}) as Record<string, string>;
      const { access_token, id_token } = (body ?? {}) as Record<string, string>;
      for (const secret of [code, code_verifier, access_token, id_token])
        if (secret !== undefined) this.issued.push(secret);
    });
    this.server = createServer(provider.callback());
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
  }

  /** Signs in as a browser would that began at this address. @returns where the provider sends the browser back to */
  async signIn(startUrl: string, name: string): Promise<string> {
    const cookies = new Map<string, string>();
    let url = startUrl;
    let form: string | undefined;
    for (;;) {
      const answer: Response = await fetch(url, {
        method: form === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: {
          cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; '),
          ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(form === undefined ? {} : { body: form }),
      });
      for (const cookie of answer.headers.getSetCookie()) {
        const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(key, value);
      }
      const page = await answer.text();
      const location = answer.headers.get('location');
      if (location !== null) {
        url = new URL(location, url).href;
        form = undefined;
        if (!url.startsWith(this.issuer)) return url;
      } else {
        // the page asks to sign in first, and then for consent
        url = new URL(/<form[^>]* action="([^"]+)"/.exec(page)?.[1] ?? '', url).href;
        const isSignIn = page.includes('name="login"');
        form = new URLSearchParams(
          isSignIn ? { prompt: 'login', login: name, password: 'any' } : { prompt: 'consent' },
        ).toString();
      }
    }
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** An access token as a person's own program would send it. */
  bearer(name: string, claims: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT({ preferred_username: name, groups: this.groups.get(name) ?? [], ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'company' })
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setSubject(name)
      .setIssuedAt()
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(this.key);
  }
}
