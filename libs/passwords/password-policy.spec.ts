import { afterAll, describe, expect, it } from '@jest/globals';
import { DomainError } from '#kernel';
import { PasswordPolicy } from './password-policy.ts';

const policy = new PasswordPolicy();
afterAll(() => policy.onApplicationShutdown());

/** Each has many readings, which zxcvbn compares. */
const CRAFTED = ['1', '7+|+', 'p@5sw0rD', '88@%b2e8', 'Te8sOA1Z', '4boeOZ(7', '8oS83%S+', 'bbE|6(!8'];

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

  it('leaves the event loop free while it scores crafted passwords, which take long', async () => {
    await faultsOf('loads the lists first');
    const before = performance.eventLoopUtilization();
    const begun = process.cpuUsage();
    for (const part of CRAFTED) await faultsOf(part.repeat(256 / part.length));
    const { active } = performance.eventLoopUtilization(before);
    const { user, system } = process.cpuUsage(begun);
    // of what it cost in all threads
    expect(active).toBeLessThan((user + system) / 1000 / 3);
  });

  it('refuses with too-busy what many send at the same time', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, () => policy.check('correct horse battery staple', 'ada.l', '/password')),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(11);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'too-busy', retryAfterSeconds: 1 });
  });
});
