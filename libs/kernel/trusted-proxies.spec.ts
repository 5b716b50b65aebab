import { describe, expect, it } from '@jest/globals';
import { parseTrustedProxies } from './trusted-proxies.ts';

describe('parseTrustedProxies', () => {
  it.each([
    ['', []],
    ['  ', []],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['10.0.0.0/8, 2001:DB8::/32 ,192.0.2.7/32', ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']],
    ['127.0.0.1,127.0.0.1,::ffff:127.0.0.1', ['127.0.0.1']],
  ])('reads %j', (text, ranges) => {
    expect(parseTrustedProxies(text)).toEqual(ranges);
  });

  it.each(['true', 'TRUE', 'false', '1', '2', '-1', 'all', '*', '10.0.0.0/8,1'])(
    'refuses the switch or hop count %j',
    (text) => {
      expect(() => parseTrustedProxies(text)).toThrow(/must list the proxies by CIDR range/);
    },
  );

  it.each(['0.0.0.0/0', '::/0', '10.0.0.0/8,0.0.0.0/0', '0.0.0.0/1,128.0.0.0/1', '::/2,4000::/2,8000::/1'])(
    'refuses to trust everyone: %s',
    (text) => {
      expect(() => parseTrustedProxies(text)).toThrow(/trusts? every address/);
    },
  );

  it.each([
    ['10.0.0.0/8,,192.0.2.1', /entry 2 is not a CIDR range/],
    ['10.0.0.0/8,', /entry 2/],
    ['loopback', /entry 1/],
    ['10.0.0.5/8', /Write 10\.0\.0\.0\/8/],
    ['10.0.0.0/8 192.0.2.1', /entry 1/],
  ])('names the invalid entry of %j', (text, message) => {
    expect(() => parseTrustedProxies(text)).toThrow(message);
  });
});
