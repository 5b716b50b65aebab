import { describe, expect, it } from '@jest/globals';
import { Latency } from './latency.ts';

describe('Latency', () => {
  it('keeps the mean of a fraction of a millisecond, apart from the tail', () => {
    const latency = new Latency({ rttMs: 1.2, commitMs: 4 });
    const picked = Array.from({ length: 50_000 }, () => latency.pick(1.2));
    const mean = picked.reduce((sum, ms) => sum + ms, 0) / picked.length;
    // 1.2 and a hundredth that takes ten times as long
    expect(mean).toBeCloseTo(1.2 * 1.09, 1);
    expect(Math.max(...picked)).toBeGreaterThan(8);
  });
});
