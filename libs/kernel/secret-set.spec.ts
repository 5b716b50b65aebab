import { describe, expect, it } from '@jest/globals';
import { DomainError } from './domain-error.ts';
import { digest } from './opaque-tokens.ts';
import { SecretSet, isLiveSecret, listSecrets, matchSecret } from './secret-set.ts';
import type { Rotation, StoredSecret } from './secret-set.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = (seconds: number): Date => new Date(at.getTime() + seconds * 1000);
const first = (): StoredSecret[] => [SecretSet.first(digest('one'), at)];
const rotation = (overlapSeconds: number, more: Partial<Rotation> = {}): Rotation => ({
  overlapSeconds,
  compromised: false,
  endOldest: false,
  ...more,
});
const rotate = (secrets: readonly StoredSecret[], how: Rotation, secret: string, when: Date) =>
  new SecretSet(secrets, when).rotate(how, digest(secret));
const twoLive = (): readonly StoredSecret[] => rotate(first(), rotation(600), 'two', later(1)).secrets;
const errorOf = (work: () => unknown): DomainError => {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return error;
  }
  throw new Error('it was not refused');
};

describe('SecretSet.rotate', () => {
  it('puts the new secret first, without an end, and keeps the old one for the overlap', () => {
    const { secrets, data } = rotate(first(), rotation(60), 'two', later(10));
    const [current, previous, ...rest] = secrets;
    expect(current).toMatchObject({ digest: digest('two'), createdAt: later(10), expiresAt: null, lastUsedAt: null });
    expect(previous).toMatchObject({ digest: digest('one'), createdAt: at, expiresAt: later(70) });
    expect(rest).toEqual([]);
    expect(data).toEqual({
      secretId: current?.id,
      previousSecretId: previous?.id,
      previousEndsAt: later(70).toISOString(),
      endedSecretIds: [],
      compromised: false,
    });
  });

  it('does not prolong a secret that ends before the overlap does', () => {
    const [current, older] = twoLive(); // the older one ends at 601 s
    const { secrets: alone } = new SecretSet([current!, older!], later(2)).end(current!.id);
    const { secrets, data } = rotate(alone, rotation(3600), 'three', later(3));
    expect(secrets.map(({ expiresAt }) => expiresAt)).toEqual([null, later(601)]);
    expect(data.previousEndsAt).toBe(later(601).toISOString());
  });

  it('ends the old secret immediately without an overlap, and says so', () => {
    const [old] = first();
    const { secrets, data } = rotate([old!], rotation(0), 'two', later(1));
    expect(secrets.map((secret) => secret.digest)).toEqual([digest('two')]);
    expect(data).toMatchObject({
      previousSecretId: old!.id,
      previousEndsAt: later(1).toISOString(),
      endedSecretIds: [old!.id],
    });
  });

  it('ends every old secret immediately if one is compromised, regardless of the overlap', () => {
    const two = twoLive();
    const { secrets, data } = rotate(two, rotation(600, { compromised: true }), 'three', later(2));
    expect(secrets.map((secret) => secret.digest)).toEqual([digest('three')]);
    expect(data).toMatchObject({ endedSecretIds: two.map(({ id }) => id), compromised: true });
  });

  it('is refused while two are live, and the error shows both without their digests', () => {
    const error = errorOf(() => rotate(twoLive(), rotation(600), 'three', later(2)));
    expect(error.code).toBe('rotation-in-progress');
    expect(error.extensions?.['secrets']).toMatchObject([{ current: true }, { current: false }]);
    expect(JSON.stringify(error.extensions)).not.toContain(digest('one'));
  });

  it('ends the older of two live secrets if asked to, so that at most two are live', () => {
    const { secrets } = rotate(twoLive(), rotation(600, { endOldest: true }), 'three', later(2));
    expect(secrets.map((secret) => secret.digest)).toEqual([digest('three'), digest('two')]);
    expect(matchSecret(secrets, digest('one'), later(3).getTime())).toBeUndefined();
  });

  it('is possible again from the moment the overlap is over', () => {
    expect(errorOf(() => rotate(twoLive(), rotation(0), 'three', later(600))).code).toBe('rotation-in-progress');
    expect(rotate(twoLive(), rotation(5), 'three', later(601)).secrets).toHaveLength(2);
  });

  it('does not modify its input', () => {
    const given = first();
    const before = structuredClone(given);
    rotate(given, rotation(60), 'two', later(1));
    expect(given).toEqual(before);
  });
});

describe('SecretSet.end', () => {
  it('ends one; the other keeps its announced end', () => {
    const [current, older] = twoLive();
    const { secrets, data } = new SecretSet([current!, older!], later(2)).end(current!.id);
    expect(secrets).toEqual([older]);
    expect(data).toEqual({
      secretId: current!.id,
      remainingSecretId: older!.id,
      remainingEndsAt: later(601).toISOString(),
    });
    expect(listSecrets(new SecretSet(secrets, later(2)).views)).toMatchObject([{ id: older!.id, current: true }]);
  });

  it('never ends the last secret, nor one that has ended', () => {
    const [only] = first();
    expect(errorOf(() => new SecretSet([only!], at).end(only!.id)).code).toBe('last-secret');
    const [current, older] = twoLive();
    const overlapOver = new SecretSet([current!, older!], later(601));
    expect(errorOf(() => overlapOver.end(older!.id)).code).toBe('not-found');
    expect(errorOf(() => overlapOver.end(current!.id)).code).toBe('last-secret');
  });
});

describe('matchSecret', () => {
  const { secrets } = rotate(first(), rotation(60), 'two', at);

  it('finds either of two live secrets', () => {
    expect(matchSecret(secrets, digest('one'), at.getTime())?.id).toBe(secrets[1]?.id);
    expect(matchSecret(secrets, digest('two'), at.getTime())?.id).toBe(secrets[0]?.id);
  });

  it('finds nothing for another or a truncated digest', () => {
    expect(matchSecret(secrets, digest('three'), at.getTime())).toBeUndefined();
    expect(matchSecret(secrets, digest('one').slice(0, -1), at.getTime())).toBeUndefined();
    expect(matchSecret([] as StoredSecret[], digest('one'), at.getTime())).toBeUndefined();
  });

  it('accepts a secret until the millisecond before its end', () => {
    const endsAtMs = later(60).getTime();
    expect(matchSecret(secrets, digest('one'), endsAtMs - 1)).toBeDefined();
    expect(matchSecret(secrets, digest('one'), endsAtMs)).toBeUndefined();
    expect(isLiveSecret({ expiresAt: null }, Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});

describe('SecretSet.revoke', () => {
  it('ends the leaked secret immediately and leaves the other one as it is', () => {
    const [current, previous] = twoLive();
    const { secrets, data } = new SecretSet([current!, previous!], later(2)).revoke(current!.id);
    expect(secrets).toEqual([{ ...current, expiresAt: later(2) }, previous]);
    expect(data).toEqual({ secretId: current!.id, remainingSecretId: previous!.id });
  });

  it('ends even the last one, and keeps its digest until the next rotation', () => {
    const [only] = first();
    const { secrets, data } = new SecretSet([only!], later(2)).revoke(only!.id);
    expect(secrets).toEqual([{ ...only, expiresAt: later(2) }]);
    expect(data).toEqual({ secretId: only!.id, remainingSecretId: null });
    expect(new SecretSet(secrets, later(2)).live).toEqual([]);
    const rotated = rotate(secrets, rotation(600), 'two', later(3));
    expect(rotated.secrets.map((secret) => secret.digest)).toEqual([digest('two')]);
    expect(rotated.data).toMatchObject({ previousSecretId: null, previousEndsAt: null });
  });

  it('refuses a secret that is not live', () => {
    const [only] = first();
    const ended = [{ ...only!, expiresAt: later(1) }];
    for (const id of ['se_other', only!.id]) {
      expect(errorOf(() => new SecretSet(ended, later(2)).revoke(id)).code).toBe('not-found');
    }
  });
});
