import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { loadConfig } from '#config';
import type { Config } from '#config';
import { Clock } from '#kernel';
import { createLogger } from '#observability';
import { OidcTokens } from './oidc-tokens.ts';

class FixedClock extends Clock {
  override nowMs(): number {
    return Date.parse('2030-01-01T12:00:00.000Z');
  }
}

/** An OpenID Connect provider with one key. */
class Provider {
  readonly server: Server;
  issuerInDocument: string | undefined;
  keys: JWK[] = [];
  key!: CryptoKey;
  failing = false;
  asked = 0;

  constructor() {
    this.server = createServer((request, response) => {
      this.asked += 1;
      if (this.failing) return void response.writeHead(500).end();
      const body =
        request.url === '/.well-known/openid-configuration'
          ? { issuer: this.issuerInDocument ?? this.issuer, jwks_uri: `${this.issuer}/keys` }
          : { keys: this.keys };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    this.key = privateKey;
    this.keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }];
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

const now = new FixedClock().nowMs() / 1000;

describe('OidcTokens', () => {
  let provider: Provider;
  let tokens: OidcTokens;
  const token = (changes: Record<string, unknown> = {}): SignJWT =>
    new SignJWT({
      iss: provider.issuer,
      aud: 'latchkey',
      sub: 'ada',
      iat: now,
      exp: now + 300,
      ...changes,
    }).setProtectedHeader({
      alg: 'ES256',
      kid: 'k1',
    });
  const claimsOf = async (jwt: SignJWT): Promise<unknown> => tokens.claimsOf(await jwt.sign(provider.key));

  beforeEach(async () => {
    provider = await new Provider().start();
    const config: Config = loadConfig({
      MONGODB_URI: 'mongodb://127.0.0.1/unused',
      REDIS_URL: 'redis://127.0.0.1',
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: 'latchkey',
    });
    tokens = new OidcTokens(config, createLogger('silent'), new FixedClock());
  });
  afterEach(() => provider.stop());

  it('takes a good token by the clock of the store, and fetches the keys once', async () => {
    expect(await claimsOf(token())).toMatchObject({ sub: 'ada' });
    expect(await claimsOf(token({ sub: 'bob' }))).toMatchObject({ sub: 'bob' });
    expect(provider.asked).toBe(2);
  });

  it.each([
    ['expired', { exp: now - 60 }],
    ['without an end', { exp: undefined }],
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['for another audience', { aud: 'someone-else' }],
    ['without a subject', { sub: undefined }],
    ['not good yet', { nbf: now + 60 }],
  ])('refuses a token that is %s', async (_what, changes) => {
    expect(await claimsOf(token(changes))).toBeUndefined();
  });

  it('refuses tokens that the provider did not sign', async () => {
    const other = await generateKeyPair('ES256');
    expect(await tokens.claimsOf(await token().sign(other.privateKey))).toBeUndefined();
    const good = await token().sign(provider.key);
    expect(await tokens.claimsOf(`${good.slice(0, -4)}AAAA`)).toBeUndefined();
    expect(await tokens.claimsOf('rubbish')).toBeUndefined();
    const payload = { iss: provider.issuer, aud: 'latchkey', sub: 'ada', exp: now + 300 };
    expect(await tokens.claimsOf(new UnsecuredJWT(payload).encode())).toBeUndefined();
  });

  it('refuses a token signed with the public key taken as a shared secret', async () => {
    const [{ x = '' } = {}] = provider.keys;
    const shared = await new SignJWT({ iss: provider.issuer, aud: 'latchkey', sub: 'ada', exp: now + 300 })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(x, 'base64url'));
    expect(await tokens.claimsOf(shared)).toBeUndefined();
  });

  it('answers 503 while the provider cannot be asked, and heals', async () => {
    provider.failing = true;
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
    provider.failing = false;
    expect(await claimsOf(token())).toMatchObject({ sub: 'ada' });
  });

  it('answers 503 when the keys cannot be fetched, which says nothing about the token', async () => {
    provider.keys = 'no list' as never;
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
  });

  it('does not go by the discovery document of another issuer', async () => {
    provider.issuerInDocument = 'https://elsewhere.example';
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
  });
});
