import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  clientIdOfAccessToken,
  digest,
  digestsEqual,
  handleOf,
  isWellFormedClientId,
  isWellFormedSecret,
  kindOfSecret,
  newApiKey,
  newSessionToken,
  newAccessToken,
  newClientId,
  newClientSecret,
  newResourceServerSecret,
} from './opaque-tokens.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
// CRC-32 and base62 of these were worked out with Python's zlib, not with the code under test
const KNOWN_CLIENT_ID = `lk_ci_${ALPHABET.slice(0, 24)}`;
const KNOWN_TOKEN = `lk_at_${ALPHABET.slice(0, 24)}${ALPHABET.slice(0, 43)}1ihJvO`;
const KNOWN_SECRET = `lk_cs_${'z'.repeat(43)}0g3AQG`;

describe('generated tokens, ids and secrets', () => {
  it('have the documented format', () => {
    const clientId = newClientId();
    expect(clientId).toMatch(/^lk_ci_[0-9A-Za-z]{24}$/);
    expect(newAccessToken(clientId)).toMatch(/^lk_at_[0-9A-Za-z]{73}$/);
    expect(newAccessToken(clientId).slice(6, 30)).toBe(handleOf(clientId));
    expect(newClientSecret()).toMatch(/^lk_cs_[0-9A-Za-z]{49}$/);
    expect(newResourceServerSecret()).toMatch(/^lk_rs_[0-9A-Za-z]{49}$/);
  });

  it('have the checksum that another implementation computes', () => {
    expect(clientIdOfAccessToken(KNOWN_TOKEN)).toBe(KNOWN_CLIENT_ID);
    expect(isWellFormedSecret(KNOWN_SECRET, 'client')).toBe(true);
  });

  it('never repeat', () => {
    const clientId = newClientId();
    expect(new Set(Array.from({ length: 20_000 }, () => newAccessToken(clientId))).size).toBe(20_000);
    expect(new Set(Array.from({ length: 20_000 }, newClientId)).size).toBe(20_000);
  });

  it('use every character equally often, at every position', () => {
    const secrets = 20_000;
    const places = Array.from({ length: 43 }, () => new Map<string, number>());
    for (let count = 0; count < secrets; count += 1) {
      for (const [at, char] of Array.from(newClientSecret().slice(6, 49)).entries()) {
        places[at]!.set(char, (places[at]!.get(char) ?? 0) + 1);
      }
    }
    const total = new Map<string, number>();
    for (const place of places) {
      for (const [char, count] of place) total.set(char, (total.get(char) ?? 0) + count);
    }
    const chiSquare = (counts: Map<string, number>, expected: number): number =>
      Array.from(ALPHABET).reduce((sum, char) => sum + ((counts.get(char) ?? 0) - expected) ** 2 / expected, 0);
    // 61 degrees of freedom: 150 is passed by chance once in 10^9
    expect(chiSquare(total, (secrets * 43) / 62)).toBeLessThan(150);
    for (const place of places) expect(chiSquare(place, secrets / 62)).toBeLessThan(150);
  });
});

describe('clientIdOfAccessToken', () => {
  it('detects every change of a single character', () => {
    const token = newAccessToken(newClientId());
    for (let at = 0; at < token.length; at += 1) {
      for (const char of `${ALPHABET}-_ \n\u0000é`) {
        if (char === token[at]) continue;
        expect(clientIdOfAccessToken(token.slice(0, at) + char + token.slice(at + 1))).toBeUndefined();
      }
    }
  });

  it('detects swapped neighbours, another case, and anything before or after', () => {
    const token = newAccessToken(newClientId());
    for (let at = 0; at + 1 < token.length; at += 1) {
      const swapped = token.slice(0, at) + token.charAt(at + 1) + token.charAt(at) + token.slice(at + 2);
      if (swapped !== token) expect(clientIdOfAccessToken(swapped)).toBeUndefined();
    }
    for (const text of [
      token.toLowerCase(),
      token.toUpperCase(),
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      token.slice(0, -1),
    ]) {
      expect(clientIdOfAccessToken(text)).toBeUndefined();
    }
  });

  it('refuses everything else', () => {
    for (const text of [
      '',
      'lk_at_',
      newClientSecret(),
      newClientId(),
      'x'.repeat(100_000),
      `lk_at_${'0'.repeat(73)}`,
    ]) {
      expect(clientIdOfAccessToken(text)).toBeUndefined();
    }
  });

  it('returns the client that the token was made for', () => {
    for (let count = 0; count < 1000; count += 1) {
      const clientId = newClientId();
      expect(clientIdOfAccessToken(newAccessToken(clientId))).toBe(clientId);
    }
  });
});

describe('the format check of client ids and secrets', () => {
  it('distinguishes the kinds of secrets, and damaged ones', () => {
    const client = newClientSecret();
    const server = newResourceServerSecret();
    expect([isWellFormedSecret(client, 'client'), isWellFormedSecret(server, 'resource-server')]).toEqual([true, true]);
    expect([isWellFormedSecret(server, 'client'), isWellFormedSecret(client, 'resource-server')]).toEqual([
      false,
      false,
    ]);
    for (let at = 0; at < client.length; at += 1) {
      const changed = client.slice(0, at) + (client[at] === 'a' ? 'b' : 'a') + client.slice(at + 1);
      expect(isWellFormedSecret(changed, 'client')).toBe(false);
    }
  });

  it('are recognized by their kind', () => {
    const texts = {
      'access-token': newAccessToken(newClientId()),
      client: newClientSecret(),
      'resource-server': newResourceServerSecret(),
      'api-key': newApiKey(),
      session: newSessionToken(),
    };
    for (const [kind, text] of Object.entries(texts)) {
      expect(kindOfSecret(text)).toBe(kind);
      expect(kindOfSecret(`${text} `)).toBeUndefined();
      expect(kindOfSecret(text.replace('lk_', 'lx_'))).toBeUndefined();
    }
    for (const text of ['', 'lk_', newClientId(), 'hunter2']) expect(kindOfSecret(text)).toBeUndefined();
  });

  it('recognises a client id', () => {
    expect(isWellFormedClientId(newClientId())).toBe(true);
    for (const text of [
      '',
      'lk_ci_',
      `lk_ci_${'a'.repeat(25)}`,
      `lk_ci_${'-'.repeat(24)}`,
      `lk_at_${'a'.repeat(24)}`,
    ]) {
      expect(isWellFormedClientId(text)).toBe(false);
      expect(() => handleOf(text)).toThrow(TypeError);
      expect(() => newAccessToken(text)).toThrow(TypeError);
    }
  });
});

describe('digests', () => {
  it('are SHA-256 of the UTF-8 text in base64url', () => {
    // FIPS 180-2, the example "abc"
    expect(digest('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
    for (const text of ['', 'é', newClientSecret()]) {
      expect(digest(text)).toBe(createHash('sha256').update(text, 'utf8').digest('base64url'));
    }
  });

  it('compare as equal only if they are identical', () => {
    const one = digest('one');
    expect(digestsEqual(one, digest('one'))).toBe(true);
    expect(digestsEqual(one, digest('two'))).toBe(false);
    expect(digestsEqual(one, one.slice(1))).toBe(false);
    expect(digestsEqual(one, '')).toBe(false);
    expect(digestsEqual(one, `${one.slice(0, -1)}é`)).toBe(false);
    expect(digestsEqual('Ā'.repeat(43), '\0'.repeat(43))).toBe(false);
  });
});
