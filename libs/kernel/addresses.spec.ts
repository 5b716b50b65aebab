import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressError, AllowedIps, parseAddress, parseAllowedIp } from './addresses.ts';

function faultOf(text: string): string {
  try {
    parseAllowedIp(text);
  } catch (error) {
    expect(error).toBeInstanceOf(AddressError);
    return (error as AddressError).publicMessage;
  }
  throw new Error(`accepted: ${text}`);
}

describe('parseAllowedIp', () => {
  it.each([
    '010.0.0.1',
    '0x0a.0.0.1',
    '10.1',
    '167772161',
    '10/8',
    '::10.0.0.1',
    'fe80::1%eth0',
    '10.0.0.1:80',
    '[2001:db8::1]',
    '[2001:db8::1]:443',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.0 /8',
    '10.0.0.0/ 8',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0.0/-1',
    '10.0.0.0/+8',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/8.0',
    '10.0.0.0/1e1',
    '10.0.0.0/255.0.0.0',
    '10.0.0.5/8',
    '2001:db8::1/32',
    '::ffff:10.0.0.0/8',
    '::ffff:10.0.0.0/95',
    '0.0.0.0/0',
    '::/0',
    '::ffff:0.0.0.0/96',
    '::ffff:0:0/96',
    '',
    '/8',
    '.',
    ':',
    '::1::',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    ':1:2:3:4:5:6:7',
    '12345::',
    '::g',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.٤',
    '１.2.3.4',
    '64:ff9b::192.0.2.1',
    '::ffff:010.0.0.1',
    '::ffff:10.0.0.1:0',
    '10.0.0.1\n',
    '10.0.0.1\0',
    '10.0.0.0-10.0.0.9',
    '10.0.0.*',
    'localhost',
    `${'0'.repeat(60)}::1`,
  ])('refuses %j', (text) => {
    expect(faultOf(text)).not.toBe('');
  });

  it.each([
    ['10.0.0.5/8', '10.0.0.0/8'],
    ['192.168.1.129/25', '192.168.1.128/25'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['2001:DB8:0:1::1/33', '2001:db8::/33'],
    ['::ffff:10.0.0.5/104', '10.0.0.0/8'],
  ])('suggests a correction for %s', (text, range) => {
    expect(faultOf(text)).toBe(`The range has host bits set. Write ${range}.`);
  });

  it.each(['0.0.0.0/0', '::/0', '1.2.3.4/0', '::1/0', '::ffff:10.0.0.0/96'])(
    'suggests an empty list for %s',
    (text) => {
      expect(faultOf(text)).toContain('leave the list empty');
    },
  );

  it('repeats no submitted value', () => {
    for (const text of ['canary77', '1.2.3.4/canary77', 'canary77/8', '::canary77', '10.0.0.77/99']) {
      expect(faultOf(text)).not.toMatch(/canary77|10\.0\.0\.77|99/);
    }
  });

  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1/32', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['128.0.0.0/1', '128.0.0.0/1'],
    ['0.0.0.0/1', '0.0.0.0/1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::/8', '::/8'],
    ['2001:db8:8000::/33', '2001:db8:8000::/33'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:a00:1', '10.0.0.1'],
    ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1/128', '10.0.0.1'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::a00:1', '::a00:1'],
    ['::fffe:a00:1', '::fffe:a00:1'],
  ])('writes %s as %s', (text, canonical) => {
    expect(parseAllowedIp(text).text).toBe(canonical);
    expect(parseAllowedIp(canonical).text).toBe(canonical);
  });

  it('returns comparable numbers', () => {
    expect(parseAllowedIp('192.0.2.0/24')).toEqual({
      text: '192.0.2.0/24',
      family: 4,
      prefix: 24,
      words: [0xc0000200],
    });
    const range = parseAllowedIp('2001:db8:ffff::/48');
    expect(range).toMatchObject({ family: 6, prefix: 48, words: [0x20010db8, 0xffff0000, 0, 0] });
  });

  it('throws only AddressError, for any text', () => {
    const pieces = fc.string({ unit: fc.constantFrom(...Array.from('0123456789afAF.:/%x -[]')), maxLength: 60 });
    fc.assert(
      fc.property(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 80 }), fc.ipV4Extended()), (text) => {
        try {
          expect(parseAllowedIp(parseAllowedIp(text).text).text).toBe(parseAllowedIp(text).text);
        } catch (error) {
          expect(error).toBeInstanceOf(AddressError);
        }
        expect(typeof parseAddress(text)).toMatch(/^(string|undefined)$/);
        expect(new AllowedIps(['10.0.0.0/8']).admits(text)).toBe(parseAddress(text)?.startsWith('10.') ?? false);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('parseAddress', () => {
  it.each([
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['2001:DB8::', '2001:db8::'],
  ])('reads %s as %s', (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
  });

  it.each(['', 'unknown', '10.0.0.1/32', '::1/128', '10.0.0.1:80', '[::1]', 'fe80::1%1', '::10.0.0.1'])(
    'finds no address in %j',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
});

describe('AllowedIps', () => {
  it('admits any valid address if the list is empty', () => {
    const any = new AllowedIps([]);
    expect(any.admits('203.0.113.9')).toBe(true);
    expect(any.admits('2001:db8::1')).toBe(true);
    expect(any.admits('')).toBe(false);
    expect(any.admits('203.0.113.9, 10.0.0.1')).toBe(false);
  });

  it.each([
    [['10.0.0.0/8'], '10.255.255.255', true],
    [['10.0.0.0/8'], '11.0.0.0', false],
    [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
    [['10.0.0.0/8'], '::a00:1', false],
    [['10.0.0.1'], '10.0.0.1', true],
    [['10.0.0.1'], '10.0.0.2', false],
    [['128.0.0.0/1'], '255.255.255.255', true],
    [['128.0.0.0/1'], '127.255.255.255', false],
    [['::/1'], '10.0.0.1', false],
    [['::/1'], '::ffff:10.0.0.1', false],
    [['::/1'], '::1', true],
    [['::/80'], '::ffff:10.0.0.1', false],
    [['2001:db8:8000::/33'], '2001:db8:8000::1', true],
    [['2001:db8:8000::/33'], '2001:db8:7fff::1', false],
    [['2001:db8::/127'], '2001:db8::1', true],
    [['2001:db8::/127'], '2001:db8::2', false],
    [['192.0.2.0/24', '2001:db8::1', '198.51.100.7'], '198.51.100.7', true],
    [['192.0.2.0/24', '2001:db8::1', '198.51.100.7'], '2001:DB8:0::1', true],
  ])('%j and %s: %s', (list, address, admitted) => {
    expect(new AllowedIps(list).admits(address)).toBe(admitted);
  });

  it('refuses an invalid entry', () => {
    expect(() => new AllowedIps(['rubbish'])).toThrow(AddressError);
  });
});
