import { describe, expect, it } from '@jest/globals';
import type { StoredSecret } from '#kernel';
import { rulesOf } from '../test-support/an-operation.ts';
import { NO_RULES, endOfSecret, inheritedFrom, workingSecrets } from './inherited-rules.ts';

const at = new Date('2026-11-27T12:00:00Z');
const daysAgo = (days: number): Date => new Date(at.getTime() - days * 86_400_000);
const secret = (id: string, createdAt: Date, expiresAt: Date | null = null): StoredSecret => ({
  id,
  digest: `digest of ${id}`,
  createdAt,
  expiresAt,
  lastUsedAt: null,
});

describe('a maximum age of secrets', () => {
  const rules = { ...NO_RULES, maxSecretAgeDays: 10 };

  it('ends a secret at that age, or at its own end when that is earlier', () => {
    expect(endOfSecret(secret('a', daysAgo(4)), rules)).toEqual(daysAgo(-6));
    expect(endOfSecret(secret('a', daysAgo(4), daysAgo(-1)), rules)).toEqual(daysAgo(-1));
    expect(endOfSecret(secret('a', daysAgo(4), daysAgo(-7)), rules)).toEqual(daysAgo(-6));
    expect(endOfSecret(secret('a', daysAgo(400)), NO_RULES)).toBeNull();
  });

  it('is over at the first moment of that age', () => {
    expect(workingSecrets([secret('a', daysAgo(10))], rules, at).live).toEqual([]);
    expect(workingSecrets([secret('a', daysAgo(10))], rules, new Date(at.getTime() - 1)).live).toHaveLength(1);
  });

  it('is not for exempt secrets, which keep their own end', () => {
    const exempting = { ...rules, exemptSecretIds: ['a'] };
    expect(endOfSecret(secret('a', daysAgo(400)), exempting)).toBeNull();
    expect(endOfSecret(secret('b', daysAgo(400)), exempting)).toEqual(daysAgo(390));
  });
});

describe('what a credential takes over from its operation', () => {
  const old = secret('old', daysAgo(20));
  const young = secret('young', daysAgo(5));
  const secrets = [young, old];
  const operation = (maxSecretAgeDays: number | null): ReturnType<typeof rulesOf> => rulesOf({ maxSecretAgeDays });

  it('is its suspension and its maximum age, with no exemption', () => {
    const suspended = rulesOf({ maxSecretAgeDays: 10 }, { status: 'suspended' });
    const inherited = inheritedFrom(suspended, { secrets, inherited: NO_RULES }, { at, newOnly: false });
    expect(inherited).toEqual({ suspended: true, maxSecretAgeDays: 10, exemptSecretIds: [] });
  });

  it('exempts by enforce: "new" exactly the secrets that worked', () => {
    const first = inheritedFrom(operation(10), { secrets, inherited: NO_RULES }, { at, newOnly: true });
    expect(first.exemptSecretIds).toEqual(['young', 'old']);
    // one that was too old already does not come back
    const strict = { ...NO_RULES, maxSecretAgeDays: 10 };
    const second = inheritedFrom(operation(3), { secrets, inherited: strict }, { at, newOnly: true });
    expect(second.exemptSecretIds).toEqual(['young']);
  });

  it('keeps an exemption until the age is changed', () => {
    const exempting = { suspended: false, maxSecretAgeDays: 10, exemptSecretIds: ['old'] };
    const options = { at, newOnly: false };
    const suspended = { ...operation(10), status: 'suspended' } as const;
    expect(inheritedFrom(suspended, { secrets, inherited: exempting }, options).exemptSecretIds).toEqual(['old']);
    expect(inheritedFrom(operation(30), { secrets, inherited: exempting }, options).exemptSecretIds).toEqual([]);
    expect(inheritedFrom(operation(null), { secrets, inherited: exempting }, options)).toEqual(NO_RULES);
  });
});
