import { describe, expect, it } from '@jest/globals';
import { FencePeriod } from './fence-period.ts';

describe('FencePeriod', () => {
  it('is two fifths of the lease while fences are quick', () => {
    const period = new FencePeriod(250);
    expect(period.currentMs).toBe(100);
    period.took(5);
    expect(period.currentMs).toBe(100);
  });

  it('lets a slow fence be replaced within the lease, and always leaves the store a pause', () => {
    const period = new FencePeriod(250);
    period.took(150);
    expect(period.currentMs).toBe(50);
    period.took(300);
    expect(period.currentMs).toBe(10);
  });

  it('grows back after a slow fence', () => {
    const period = new FencePeriod(250);
    period.took(200);
    for (let count = 0; count < 20; count += 1) period.took(2);
    expect(period.currentMs).toBe(100);
  });

  it('sends no regular fences for a very short lease', () => {
    expect([0, 49, 50, 250].map((leaseMs) => new FencePeriod(leaseMs).isRegular)).toEqual([false, false, true, true]);
  });
});
