import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TrustedProxies } from './client-address.ts';

/** The address; undefined where there is a fault in its place. */
function addressBy(trusted: TrustedProxies, peer: string | undefined, lines: readonly string[]): string | undefined {
  const found = trusted.clientAddress(peer, lines);
  return typeof found === 'string' ? found : undefined;
}

const none = new TrustedProxies([]);
const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8:1::/48', '127.0.0.1']);

describe('with no proxy trusted', () => {
  it('the peer is the caller, regardless of the header', () => {
    for (const header of [[], ['198.51.100.7'], ['rubbish'], [''], ['127.0.0.1, 10.0.0.1']]) {
      expect(none.clientAddress('203.0.113.9', header)).toBe('203.0.113.9');
    }
    expect(none.clientAddress('::ffff:127.0.0.1', ['198.51.100.7'])).toBe('127.0.0.1');
  });

  it.each([undefined, '', 'rubbish', '/run/latchkey.sock'])('the caller is unknown if the peer is %j', (peer) => {
    const fault = { reason: 'the connection has no IP address' };
    expect(none.clientAddress(peer, [])).toEqual(fault);
    expect(none.clientAddress(peer, ['198.51.100.7'])).toEqual(fault);
    expect(proxies.clientAddress(peer, ['198.51.100.7'])).toEqual(fault);
  });
});

describe('with trusted proxies', () => {
  it.each<[string, string, string[], string | undefined]>([
    ['an untrusted peer is the caller', '203.0.113.9', ['198.51.100.7'], '203.0.113.9'],
    ['and its header is not even looked at', '203.0.113.9', ['rubbish'], '203.0.113.9'],
    ['one hop', '10.0.0.1', ['198.51.100.7'], '198.51.100.7'],
    ['a dual-stack listener', '::ffff:10.0.0.1', ['198.51.100.7'], '198.51.100.7'],
    ['a proxy on IPv6', '2001:db8:1::5', ['2001:DB8:2::1'], '2001:db8:2::1'],
    ['an IPv4-mapped hop', '10.0.0.1', ['::ffff:198.51.100.7'], '198.51.100.7'],
    ['trusted hops are passed over', '10.0.0.1', ['198.51.100.7, 10.9.9.9,127.0.0.1'], '198.51.100.7'],
    ['the rightmost, not the leftmost', '10.0.0.1', ['1.1.1.1, 198.51.100.7'], '198.51.100.7'],
    ['forged trusted hops to the left do not count', '10.0.0.1', ['10.0.0.9, 198.51.100.7'], '198.51.100.7'],
    ["rubbish to the left of the caller is the caller's own", '10.0.0.1', ['<script>, 198.51.100.7'], '198.51.100.7'],
    ['several lines are one list', '10.0.0.1', ['1.1.1.1', '198.51.100.7', '10.2.2.2'], '198.51.100.7'],
    ['space and tabs', '10.0.0.1', ['1.1.1.1 ,\t 198.51.100.7 \t'], '198.51.100.7'],
    ['all trusted: the leftmost', '10.0.0.1', ['10.0.0.3, 10.0.0.2'], '10.0.0.3'],
    ['no header: the proxy itself asks', '10.0.0.1', [], '10.0.0.1'],
    ['an empty header', '10.0.0.1', [''], undefined],
    ['an empty hop', '10.0.0.1', ['198.51.100.7,'], undefined],
    ['an empty hop behind a trusted one', '10.0.0.1', ['198.51.100.7,,10.0.0.2'], undefined],
    ['an empty last line', '10.0.0.1', ['198.51.100.7', ''], undefined],
    ['rubbish', '10.0.0.1', ['rubbish'], undefined],
    ['unknown', '10.0.0.1', ['198.51.100.7, unknown'], undefined],
    ['IPv4 with a port', '10.0.0.1', ['198.51.100.7:1234'], '198.51.100.7'],
    [
      'a port of Azure’s gateway between others',
      '10.0.0.1',
      ['1.1.1.1, 198.51.100.7:50123,10.3.3.3:80'],
      '198.51.100.7',
    ],
    ['IPv6 in brackets', '10.0.0.1', ['[2001:DB8:2::1]'], '2001:db8:2::1'],
    ['IPv6 in brackets with a port', '10.0.0.1', ['[2001:db8:2::1]:443'], '2001:db8:2::1'],
    ['a mapped IPv4 in brackets', '10.0.0.1', ['[::ffff:198.51.100.7]:443'], '198.51.100.7'],
    ['a trusted proxy with a port', '10.0.0.1', ['198.51.100.7, [2001:db8:1::9]:8443'], '198.51.100.7'],
    ['the highest port', '10.0.0.1', ['198.51.100.7:65535'], '198.51.100.7'],
    ['an invalid port', '10.0.0.1', ['198.51.100.7:65536'], undefined],
    ['no port after the colon', '10.0.0.1', ['198.51.100.7:'], undefined],
    ['two ports', '10.0.0.1', ['198.51.100.7:80:80'], undefined],
    ['a port with letters', '10.0.0.1', ['198.51.100.7:http'], undefined],
    ['a signed port', '10.0.0.1', ['198.51.100.7:+80'], undefined],
    ['IPv4 in brackets', '10.0.0.1', ['[198.51.100.7]'], undefined],
    ['half a bracket', '10.0.0.1', ['[2001:db8:2::1'], undefined],
    ['something behind the bracket', '10.0.0.1', ['[2001:db8:2::1]x'], undefined],
    ['a zone in brackets', '10.0.0.1', ['[fe80::1%eth0]:80'], undefined],
    ['IPv6 with a port, but no brackets', '10.0.0.1', ['2001:db8:0:0:0:0:0:1:443'], undefined],
    ['a leading zero and a port', '10.0.0.1', ['198.051.100.7:80'], undefined],
    ['a host name with a port', '10.0.0.1', ['localhost:80'], undefined],
    ['a zone id', '10.0.0.1', ['fe80::1%eth0'], undefined],
    ['a range', '10.0.0.1', ['198.51.100.0/24'], undefined],
    ['a leading zero', '10.0.0.1', ['198.051.100.7'], undefined],
    ['a no-break space', '10.0.0.1', ['\u00a0198.51.100.7'], undefined],
    ['a space in a line without comma', '10.0.0.1', ['198.51.100.7 198.51.100.8'], undefined],
  ])('%s', (_what, peer, header, caller) => {
    expect(addressBy(proxies, peer, header)).toBe(caller);
  });

  it.each([
    [['198.51.100.7,'], 'entry 1 from the right, of 2, in X-Forwarded-For is empty', undefined],
    [
      ['1.1.1.1, 198.51.100.0/24, 10.0.0.2'],
      'entry 2 from the right, of 3, in X-Forwarded-For is not an IP address, alone or with a port',
      '000.00.000.0/00',
    ],
    [
      ['_Secret-Canary7é'],
      'entry 1 from the right, of 1, in X-Forwarded-For is not an IP address, alone or with a port',
      '_aaaaaa-aaaaaa0?',
    ],
    [['9'.repeat(101)], 'entry 1 from the right, of 1, in X-Forwarded-For is longer than 100 characters', undefined],
  ])('reports why %j cannot be read, without its text', (lines, reason, shape) => {
    expect(proxies.clientAddress('10.0.0.1', lines)).toEqual(shape === undefined ? { reason } : { reason, shape });
  });

  it('a caller cannot choose its address by sending the header itself', () => {
    const forged = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constantFrom('10.0.0.1', '127.0.0.1', ','));
    fc.assert(
      fc.property(fc.array(forged, { maxLength: 6 }), (lines) => {
        const seen = lines.length === 0 ? ['198.51.100.7'] : [`${lines.join(', ')}, 198.51.100.7`];
        expect(proxies.clientAddress('10.0.0.1', seen)).toBe('198.51.100.7');
        expect(proxies.clientAddress('10.0.0.1', [...lines, '198.51.100.7', '10.0.0.2'])).toBe('198.51.100.7');
      }),
      { numRuns: 2000 },
    );
  });

  it('long invalid input is refused without being searched', () => {
    expect(addressBy(proxies, '10.0.0.1', [`a${' '.repeat(1_000_000)}b`])).toBeUndefined();
  });
});

it('an invalid range of trusted proxies is an error, and does not trust no one or everyone', () => {
  expect(() => new TrustedProxies(['rubbish'])).toThrow();
  expect(() => new TrustedProxies(['0.0.0.0/0'])).toThrow();
});
