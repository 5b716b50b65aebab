import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#kernel';
import { PasswordPolicy } from './password-policy.ts';

const policy = new PasswordPolicy();

async function faultsOf(password: string, username = 'ada.l'): Promise<string[]> {
  try {
    await policy.check(password, username, '/password');
    return [];
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'weak-password') throw error;
    expect(error.message).not.toContain(password);
    expect(error.errors?.every(({ pointer }) => pointer === '/password')).toBe(true);
    return (error.errors ?? []).map(({ message }) => message);
  }
}

describe('PasswordPolicy', () => {
  it.each([
    'password1234',
    'Password1234!',
    'P@ssw0rd1234',
    'qwertyuiop12',
    '1q2w3e4r5t6y',
    'iloveyou1234',
    'welcome123456',
    'aaaaaaaaaaaa',
    '123456789012',
    'abcdefghijkl',
    'letmeinletmein',
    'latchkey2026!',
  ])('refuses %s, which guessers try early', async (password) => {
    expect(await faultsOf(password)).toEqual([expect.stringContaining('is a known one')]);
  });

  it.each([
    'correct horse battery staple',
    'Wp7bS1kq9ZxT3mVc',
    'z\u00e4hneputzen und so',
    '\u5b57\u5178\u306b\u306a\u3044\u9577\u3044\u5408\u8a00\u8449\u3067\u3059\u3088\u306d',
    `${'correct horse battery staple '.repeat(8)}end`,
  ])('accepts %s', async (password) => {
    expect(await faultsOf(password)).toEqual([]);
  });

  it('refuses passwords that are too short or too long, counted in characters', async () => {
    expect(await faultsOf('kX9#mQ2$vLp')).toEqual(['A password has 12 to 256 characters.']);
    expect(await faultsOf('\u{1f511}'.repeat(11))).toEqual(['A password has 12 to 256 characters.']);
    expect(await faultsOf('kX9#mQ2$vLp7'.repeat(22))).toEqual(['A password has 12 to 256 characters.']);
  });

  it('refuses passwords that contain the user name, in any case', async () => {
    expect(await faultsOf('xk7 Lovelace mQ2 vLp', 'lovelace')).toEqual(['The password contains the user name.']);
    expect(await faultsOf('xk7 Lovelace mQ2 vLp', 'babbage')).toEqual([]);
    // in half of all passwords
    expect(await faultsOf('xk7 Lovelace mQ2 vLp', 'a')).toEqual([]);
  });

  it('checks adversarial passwords within a second of CPU time', async () => {
    await faultsOf('loads the lists first');
    const begun = process.cpuUsage();
    for (const part of ['1', '01.01.2001 ', 'p@5sw0rD', 'qwerty', 'ab']) await faultsOf(part.repeat(256 / part.length));
    const { user, system } = process.cpuUsage(begun);
    expect((user + system) / 1000).toBeLessThan(1_000);
  });
});
