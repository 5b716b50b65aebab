import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { loadConfig } from '#config';
import type { Config } from '#config';
import { Clock } from '#kernel';
import type { Logger } from '#observability';
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
  let warnings: unknown[];
  const token = (changes: Record<string, unknown> = {}, typ?: string): SignJWT =>
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
      ...(typ === undefined ? {} : { typ }),
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
    warnings = [];
    const logger = { warn: (bound: unknown) => warnings.push(bound) };
    tokens = new OidcTokens(config, logger as unknown as Logger, new FixedClock());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await provider.stop();
  });

  it('accepts a valid token by the store’s clock, and fetches the keys once', async () => {
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
    ['about a number', { sub: 4711 }],
    ['about an object', { sub: { toString: 'ada' } }],
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }],
    ['an ID token', { at_hash: 'x' }],
    ['an ID token of the hybrid flow', { c_hash: 'x' }],
    ["Keycloak's ID token", { typ: 'ID' }],
    ["Keycloak's refresh token", { typ: 'Refresh' }],
  ])('refuses a token that is %s', async (_what, changes) => {
    expect(await claimsOf(token(changes))).toBeUndefined();
  });

  it.each(['JWT', 'jwt', 'application/JWT'])('accepts a token of the type %s', async (typ) => {
    expect(await claimsOf(token({}, typ))).toMatchObject({ sub: 'ada' });
  });

  it.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JWS', ''])('refuses a token of the type %j', async (typ) => {
    expect(await claimsOf(token({}, typ))).toBeUndefined();
  });

  it.each(['at+jwt', 'application/at+jwt', 'AT+JWT'])('holds a token of the type %s to RFC 9068', async (typ) => {
    const whole = { client_id: 'cli', jti: 'id-1' };
    expect(await claimsOf(token(whole, typ))).toMatchObject({ sub: 'ada' });
    for (const missing of ['client_id', 'jti', 'iat']) {
      expect(await claimsOf(token({ ...whole, [missing]: undefined }, typ))).toBeUndefined();
    }
  });

  it('sends no request for text that cannot be a token of the provider', async () => {
    provider.failing = true;
    const good = await token().sign(provider.key);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: provider.issuer, aud: 'latchkey', sub: 'ada', exp: now + 300 };
    const headers = [
      { alg: 'none' },
      { alg: 'HS256' },
      { alg: { toString: 'ES256' } },
      { alg: ['ES256'] },
      { alg: 'toString' },
      { alg: 'ES256', typ: 5 },
      { alg: 'ES256', kid: {} },
      { alg: 'ES256', kid: ['k1'] },
      { alg: 'ES256', kid: null },
      { alg: 'ES256', crit: ['b64'] },
      { alg: 'ES256', crit: ['b64'], b64: true },
      { alg: 'ES256', crit: ['b64'], b64: false },
      { alg: 'ES256', crit: ['exp'], exp: 1 },
      { alg: 'ES256', crit: [] },
      { alg: 'ES256', crit: 'b64' },
      { alg: 'ES256', b64: false },
      { alg: 'ES512' },
      { alg: 'RS256' },
    ].map((value) => `${part(value)}.${part(claims)}.${signature}`);
    const payloads = [
      { ...claims, iss: 'https://elsewhere.example' },
      { ...claims, iss: [provider.issuer] },
      { ...claims, iss: undefined },
      { ...claims, aud: 'someone-else' },
      { ...claims, aud: ['someone-else'] },
      { ...claims, aud: undefined },
      { ...claims, exp: now - 60 },
      { ...claims, exp: undefined },
      { ...claims, exp: String(now + 300) },
      { ...claims, exp: { valueOf: now + 300 } },
      { ...claims, nbf: now + 60 },
      { ...claims, nbf: 'now' },
      { ...claims, iat: 'now' },
      { ...claims, sub: undefined },
      { ...claims, sub: 4711 },
      ['list'],
      null,
    ].map((value) => `${header}.${part(value)}.${signature}`);
    const others = [
      'rubbish',
      'a.b.c',
      'a.b.c.d.e',
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}.${signature.slice(4)}`,
      `${header}.${payload}.${signature}AAAA`,
      `${Buffer.from('{"alg":"ES256"').toString('base64url')}.${payload}.${signature}`,
      `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${payload}.${signature}`,
    ];
    for (const text of [...headers, ...payloads, ...others])
      expect([text, await tokens.claimsOf(text)]).toEqual([text, undefined]);
    expect(provider.asked).toBe(0);
  });

  it('does not contact a failed provider again for a while, for any number of tokens', async () => {
    provider.failing = true;
    const good = await token().sign(provider.key);
    for (let round = 0; round < 3; round += 1) {
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => tokens.claimsOf(good)));
      for (const result of results) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'identity-provider-unavailable' } });
      }
    }
    expect(provider.asked).toBe(1);
  });

  it('logs an unavailable provider at intervals and without a stack', async () => {
    provider.failing = true;
    const good = await token().sign(provider.key);
    for (let round = 0; round < 5; round += 1) await tokens.claimsOf(good).catch(() => undefined);
    expect(warnings).toEqual([{ reason: 'discovery failed: discovery answered 500' }]);
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

  it('refuses a token signed with the public key as a shared secret', async () => {
    const [{ x = '' } = {}] = provider.keys;
    const shared = await new SignJWT({ iss: provider.issuer, aud: 'latchkey', sub: 'ada', exp: now + 300 })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(x, 'base64url'));
    expect(await tokens.claimsOf(shared)).toBeUndefined();
  });

  it('answers 503 while the provider is unavailable, and recovers', async () => {
    provider.failing = true;
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
    provider.failing = false;
    jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 5_001);
    expect(await claimsOf(token())).toMatchObject({ sub: 'ada' });
  });

  it('answers 503 rather than 401 if the keys cannot be fetched', async () => {
    provider.keys = 'no list' as never;
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
  });

  it('refuses the discovery document of another issuer', async () => {
    provider.issuerInDocument = 'https://elsewhere.example';
    await expect(claimsOf(token())).rejects.toMatchObject({ code: 'identity-provider-unavailable' });
  });
});
