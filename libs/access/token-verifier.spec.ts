import { describe, expect, it } from '@jest/globals';
import type { CredentialReader, CredentialRecord } from '#credentials';
import { Clock, digest, newAccessToken, newClientId } from '#kernel';
import type { TokenDocument, TokenRepository } from '#tokens';
import { TokenVerifier } from './token-verifier.ts';
import type { GoodToken } from './token-verifier.ts';
import { credentialRecord } from './test-support/credential-record.ts';

class FixedClock extends Clock {
  override nowMs(): number {
    return 1_000;
  }
}

/** A reader with one document in its cache and another one in its store. */
class TwoStates<V> {
  reads = 0;

  constructor(
    public cached: V | undefined,
    public stored: V | undefined,
  ) {}

  peek(): V | undefined {
    return this.cached;
  }

  get(): Promise<V | undefined> {
    return this.fresh();
  }

  fresh(): Promise<V | undefined> {
    this.reads += 1;
    return Promise.resolve(this.stored);
  }
}

function setUp(): {
  readonly verifier: TokenVerifier;
  readonly text: string;
  readonly tokens: TwoStates<TokenDocument>;
  readonly credentials: TwoStates<CredentialRecord>;
} {
  const clientId = newClientId();
  const text = newAccessToken(clientId);
  const record = credentialRecord({ id: 'cr_1', clientId, apis: ['a', 'b'] });
  const token: TokenDocument = {
    _id: digest(text),
    id: 'tk_1',
    credentialId: 'cr_1',
    operationId: 'op_1',
    clientId,
    slot: 0,
    scope: ['a', 'b'],
    issuedAt: new Date(0),
    expiresAt: new Date(60_000),
    issuedTo: null,
  };
  const tokens = new TwoStates<TokenDocument>(token, token);
  const credentials = new TwoStates<CredentialRecord>(record, record);
  const verifier = new TokenVerifier(
    credentials as unknown as CredentialReader,
    { reader: tokens } as unknown as TokenRepository,
    new FixedClock(),
  );
  return { verifier, text, tokens, credentials };
}

const scopeOf = (good: GoodToken | undefined): string => good?.scope.join(' ') ?? 'no';
const decide = (verifier: TokenVerifier, text: string): string | Promise<string> =>
  verifier.decide(text, scopeOf, (verdict) => verdict !== 'no');

describe('TokenVerifier.decide', () => {
  it('says yes from memory, synchronously', () => {
    const { verifier, text, tokens } = setUp();
    expect(decide(verifier, text)).toBe('a b');
    expect(tokens.reads).toBe(0);
  });

  it('re-reads once before it says no, and believes the store', async () => {
    const { verifier, text, tokens, credentials } = setUp();
    const { cached } = credentials;
    credentials.cached = cached && { ...cached, blocked: 'disabled' };
    expect(await decide(verifier, text)).toBe('a b');
    expect(tokens.reads).toBe(1);
    credentials.stored = undefined;
    expect(await decide(verifier, text)).toBe('no');
    expect(tokens.reads).toBe(2);
  });

  it('reads a token that is not cached once, for a yes and for a no', async () => {
    const { verifier, text, tokens } = setUp();
    tokens.cached = undefined;
    expect(await decide(verifier, text)).toBe('a b');
    tokens.stored = undefined;
    expect(await decide(verifier, text)).toBe('no');
    expect(tokens.reads).toBe(2);
  });

  it('refuses text without the checksum of a token, without a read', async () => {
    const { verifier, text, tokens } = setUp();
    tokens.cached = undefined;
    expect(await decide(verifier, `${text}x`)).toBe('no');
    expect(tokens.reads).toBe(0);
  });

  it('gives the same object while token and credential are the same, and another one afterwards', () => {
    const { verifier, text, credentials } = setUp();
    const first = verifier.verify(text);
    expect(verifier.verify(text)).toBe(first);
    const { cached } = credentials;
    credentials.cached = cached && { ...cached, apis: ['b'] };
    expect(verifier.verify(text)).toMatchObject({ scope: ['b'] });
  });
});
