import { describe, expect, it } from '@jest/globals';
import { firstSecret, isLiveSecret, matchSecret, rotateSecret } from './secret-set.ts';
import type { StoredSecret } from './secret-set.ts';
import { digest } from './opaque-tokens.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
const first = (): StoredSecret[] => [firstSecret(digest('one'), at)];
const plain = (overlapSeconds: number) => ({ overlapSeconds, compromised: false });

describe('rotateSecret', () => {
  it('puts the new secret first, without an end, and lets the old one go on for the overlap', () => {
    const [current, previous, ...rest] = rotateSecret(first(), plain(60), digest('two'), later(10));
    expect(current).toMatchObject({ digest: digest('two'), createdAt: later(10), expiresAt: null, lastUsedAt: null });
    expect(previous).toMatchObject({ digest: digest('one'), createdAt: at, expiresAt: later(70) });
    expect(rest).toEqual([]);
    expect(current?.id).not.toBe(previous?.id);
  });

  it('ends the old secret at once without an overlap', () => {
    expect(rotateSecret(first(), plain(0), digest('two'), later(1)).map((secret) => secret.digest)).toEqual([
      digest('two'),
    ]);
  });

  it('ends every old secret at once when one is compromised, whatever the overlap', () => {
    const two = rotateSecret(first(), plain(600), digest('two'), later(1));
    const now = rotateSecret(two, { overlapSeconds: 600, compromised: true }, digest('three'), later(2));
    expect(now.map((secret) => secret.digest)).toEqual([digest('three')]);
  });

  it('ends the older of two live secrets at once: at most two live', () => {
    const two = rotateSecret(first(), plain(600), digest('two'), later(1));
    const three = rotateSecret(two, plain(600), digest('three'), later(2));
    expect(three.map((secret) => secret.digest)).toEqual([digest('three'), digest('two')]);
    expect(matchSecret(three, digest('one'), later(3).getTime())).toBeUndefined();
  });

  it('leaves what it was given as it was', () => {
    const given = first();
    const before = structuredClone(given);
    rotateSecret(given, plain(60), digest('two'), later(1));
    expect(given).toEqual(before);
  });
});

describe('matchSecret', () => {
  const secrets = rotateSecret(first(), plain(60), digest('two'), at);

  it('finds either of two live secrets', () => {
    expect(matchSecret(secrets, digest('one'), at.getTime())?.id).toBe(secrets[1]?.id);
    expect(matchSecret(secrets, digest('two'), at.getTime())?.id).toBe(secrets[0]?.id);
  });

  it('finds nothing for another digest, or a digest cut short', () => {
    expect(matchSecret(secrets, digest('three'), at.getTime())).toBeUndefined();
    expect(matchSecret(secrets, digest('one').slice(0, -1), at.getTime())).toBeUndefined();
    expect(matchSecret([] as StoredSecret[], digest('one'), at.getTime())).toBeUndefined();
  });

  it('takes a secret until the millisecond before its end', () => {
    const endsAtMs = later(60).getTime();
    expect(matchSecret(secrets, digest('one'), endsAtMs - 1)).toBeDefined();
    expect(matchSecret(secrets, digest('one'), endsAtMs)).toBeUndefined();
    expect(isLiveSecret({ expiresAt: null }, Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});
