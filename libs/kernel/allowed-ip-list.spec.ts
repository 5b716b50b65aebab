import { describe, expect, it } from '@jest/globals';
import { AllowedIpsError, canonicalAllowedIps } from './allowed-ip-list.ts';

const faultsOf = (list: readonly string[]): unknown => {
  try {
    return canonicalAllowedIps(list);
  } catch (error) {
    expect(error).toBeInstanceOf(AllowedIpsError);
    return (error as AllowedIpsError).faults.map(({ index, code }) => [index, code]);
  }
};

describe('canonicalAllowedIps', () => {
  it('makes each entry canonical, merges duplicates and keeps the order', () => {
    const list = ['2001:DB8::1', '10.0.0.1/32', '192.0.2.0/24', '10.0.0.1', '::ffff:10.0.0.1', '2001:db8:0::1/128'];
    expect(canonicalAllowedIps(list)).toEqual(['2001:db8::1', '10.0.0.1', '192.0.2.0/24']);
    expect(canonicalAllowedIps([])).toEqual([]);
  });

  it('keeps overlapping ranges, which are not duplicates', () => {
    expect(canonicalAllowedIps(['10.0.0.0/8', '10.0.0.0/9', '10.0.0.0'])).toEqual([
      '10.0.0.0/8',
      '10.0.0.0/9',
      '10.0.0.0',
    ]);
  });

  it('names every invalid entry, and suggests a correction', () => {
    const list = ['10.0.0.1', '10.0.0.5/8', 'rubbish'];
    expect(faultsOf(list)).toEqual([
      [1, 'invalid-address'],
      [2, 'invalid-address'],
    ]);
    expect(() => canonicalAllowedIps(list)).toThrow(AllowedIpsError);
  });

  it('refuses ranges that together cover every address of a family', () => {
    expect(faultsOf(['192.0.2.1', '0.0.0.0/1', '128.0.0.0/1'])).toEqual([[undefined, 'every-address']]);
    expect(faultsOf(['::/1', '8000::/1', '10.0.0.0/8'])).toEqual([[undefined, 'every-address']]);
    expect(faultsOf(['0.0.0.0/1', '128.0.0.0/2'])).toEqual(['0.0.0.0/1', '128.0.0.0/2']);
  });
});
