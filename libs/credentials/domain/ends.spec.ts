import { describe, expect, it } from '@jest/globals';
import { NO_POLICY } from '#kernel';
import type { StoredSecret } from '#kernel';
import type { CredentialState } from './credential.ts';
import { nearEnds } from './ends.ts';
import { NO_RULES } from './inherited-rules.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const day = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);
const secret = (set: Partial<StoredSecret> = {}): StoredSecret => ({
  ...{ id: 'se_1', digest: '', createdAt: day(-1), expiresAt: null, lastUsedAt: null },
  ...set,
});

function daysLeft(set: Partial<CredentialState>, maxCredentialDays: number | null = null): string[] {
  const credential = { status: 'active', expiresAt: null, secrets: [secret()], inherited: NO_RULES, ...set };
  const found = nearEnds(credential as CredentialState, { ...NO_POLICY, maxCredentialDays }, NOW);
  return found.map(({ kind, daysLeft: left }) => `${kind} ${left}`);
}

describe('nearEnds', () => {
  it.each([
    [31, []],
    [30, ['credential 30']],
    [14.1, ['credential 30']],
    [14, ['credential 14']],
    [7, ['credential 7']],
    [1, ['credential 1']],
    [0, []],
    [-1, []],
  ])('finds an expiry %d days ahead by the nearest threshold', (days, expected) => {
    expect(daysLeft({ expiresAt: day(days) })).toEqual(expected);
  });

  it('skips thresholds that the maximum age of secrets makes inevitable', () => {
    const inherited = { ...NO_RULES, maxSecretAgeDays: 14 };
    expect(daysLeft({ inherited, secrets: [secret({ createdAt: day(0) })] })).toEqual([]);
    expect(daysLeft({ inherited, secrets: [secret({ createdAt: day(-6) })] })).toEqual([]);
    expect(daysLeft({ inherited, secrets: [secret({ createdAt: day(-7) })] })).toEqual(['secret 7']);
  });

  it('skips thresholds that the maximum life of credentials makes inevitable', () => {
    expect(daysLeft({ expiresAt: day(13) }, 14)).toEqual([]);
    expect(daysLeft({ expiresAt: day(6) }, 14)).toEqual(['credential 7']);
    expect(daysLeft({ expiresAt: day(13) }, 15)).toEqual(['credential 14']);
  });

  it('finds the end of an old secret only if it was used since the current one was made', () => {
    const current = secret({ id: 'se_2', createdAt: day(-2) });
    const old = (lastUsedAt: Date): StoredSecret => secret({ createdAt: day(-9), expiresAt: day(3), lastUsedAt });
    expect(daysLeft({ secrets: [current, old(day(-1))] })).toEqual(['rotation 7']);
    expect(daysLeft({ secrets: [current, old(day(-3))] })).toEqual([]);
  });

  it('finds nothing of a disabled credential', () => {
    expect(daysLeft({ status: 'disabled', expiresAt: day(3) })).toEqual([]);
  });
});
