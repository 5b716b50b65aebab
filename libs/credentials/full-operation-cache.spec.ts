import { describe, expect, it } from '@jest/globals';
import { DomainError } from '#kernel';
import { FullOperationCache } from './full-operation-cache.ts';

const full = (): Promise<never> => Promise.reject(new DomainError('credential-limit', 'full'));

describe('FullOperationCache', () => {
  it('refuses creates that were queued before the operation was full, and none that arrive later', async () => {
    const refusals = new FullOperationCache();
    const askedBefore = performance.now();
    await expect(refusals.remember('op_1', full)).rejects.toThrow('full');
    expect(() => refusals.check('op_1', askedBefore)).toThrow('full');
    expect(() => refusals.check('op_2', askedBefore)).not.toThrow();
    expect(() => refusals.check('op_1', performance.now() + 1)).not.toThrow();
  });

  it('caches no other error, and returns results unchanged', async () => {
    const refusals = new FullOperationCache();
    const askedBefore = performance.now();
    await expect(refusals.remember('op_1', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await refusals.remember('op_1', () => Promise.resolve(3))).toBe(3);
    expect(() => refusals.check('op_1', askedBefore)).not.toThrow();
  });
});
