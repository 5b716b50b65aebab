import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AddressError, AllowedIps, parseAddress, parseAllowedIp } from './addresses.ts';

/**
 * Python's `ipaddress` as an independent reader. Where it is more lenient on purpose, the difference is spelled out
 * here: no zone ids, a prefix in plain digits only, a dotted tail only in IPv4-mapped addresses, no range of every
 * address; and an IPv4-mapped address or range is an IPv4 one.
 */
const REFERENCE = `
import ipaddress, json, re, sys
def address(text):
    if '%' in text: return None
    try: a = ipaddress.ip_address(text)
    except ValueError: return None
    if a.version == 4: return a
    if a.ipv4_mapped is not None: return a.ipv4_mapped
    return None if '.' in text else a
def network(text):
    host, slash, prefix = text.partition('/')
    a = address(host)
    if a is None: return None, None
    if slash and not re.fullmatch('0|[1-9][0-9]{0,2}', prefix): return None, None
    bits = int(prefix) if slash else a.max_prefixlen
    if slash and ':' in host and a.version == 4:
        if not 96 <= bits <= 128: return None, None
        bits -= 96
    try: net = ipaddress.ip_network((a, bits), strict=False)
    except ValueError: return None, None
    if net.prefixlen == 0: return None, None
    text = str(net.network_address) if net.prefixlen == net.max_prefixlen else str(net)
    return (net, text) if net.network_address == a else (None, 'host bits: ' + text)
for line in sys.stdin:
    q = json.loads(line)
    a = address(q['address'])
    nets = [network(t)[0] for t in q['ranges']]
    print(json.dumps({
        'range': network(q['text'])[1],
        'address': None if a is None else str(a),
        'admitted': a is not None and (not nets or any(a in n for n in nets)),
    }))
`;

interface Question {
  readonly text: string;
  readonly address: string;
  readonly ranges: readonly string[];
}

interface Answer {
  readonly range: string | null;
  readonly address: string | null;
  readonly admitted: boolean;
}

const octet = fc.oneof(fc.constantFrom(0, 1, 10, 127, 128, 255), fc.integer({ min: 0, max: 255 }));
const group = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 0xffff, 0x8000) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const groupText = fc.tuple(group, fc.integer({ min: 1, max: 4 }), fc.boolean()).map(([value, width, upper]) => {
  const hex = value.toString(16).padStart(width, '0');
  return upper ? hex.toUpperCase() : hex;
});
/** Any number of groups with `::` anywhere: about half of it is good. */
const ipv6 = fc
  .tuple(
    fc.array(groupText, { maxLength: 8 }),
    fc.array(groupText, { maxLength: 8 }),
    fc.constantFrom('', '', '', '.'),
    ipv4,
  )
  .map(([head, tail, dotted, v4]) => `${head.join(':')}::${(dotted ? [...tail, v4] : tail).join(':')}`);
const full6 = fc.array(groupText, { minLength: 7, maxLength: 9 }).map((parts) => parts.join(':'));
const mapped = fc
  .tuple(fc.constantFrom('::ffff:', '::FFFF:', '0:0:0:0:0:ffff:', '::fffe:', '::'), ipv4)
  .map((parts) => parts.join(''));
const plain = fc.oneof(ipv4, ipv6, full6, mapped);
/** A range whose host bits are clear, without asking the code under test. */
const aligned = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 1, max: 32 })).map(([value, prefix]) => {
    const kept = Math.floor(value / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
    return `${[24, 16, 8, 0].map((shift) => Math.floor(kept / 2 ** shift) % 256).join('.')}/${prefix}`;
  }),
  fc.tuple(groups, fc.integer({ min: 1, max: 128 })).map(([parts, prefix]) => {
    const kept = parts.map((part, at) => {
      const bits = Math.min(16, Math.max(0, prefix - at * 16));
      return Math.floor(part / 2 ** (16 - bits)) * 2 ** (16 - bits);
    });
    return `${kept.map((part) => part.toString(16)).join(':')}/${prefix}`;
  }),
  // IPv4-mapped, in hexadecimal
  fc.tuple(octet, octet, fc.integer({ min: 1, max: 16 })).map(([high, low, prefix]) => {
    const kept = Math.floor((high * 256 + low) / 2 ** (16 - prefix)) * 2 ** (16 - prefix);
    return `0:0:0:0:0:ffff:${kept.toString(16)}:0/${96 + prefix}`;
  }),
);
const good = fc.oneof(
  ipv4,
  groups.map((parts) => parts.map((part) => part.toString(16)).join(':')),
  mapped,
);
const suffix = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 0, max: 130 }).map((prefix) => `/${prefix}`),
  fc.constantFrom(
    '/',
    '/08',
    '/-1',
    '/+8',
    '/ 8',
    '/8 ',
    '/255.0.0.0',
    '/ffff::',
    '/٣',
    '/8/8',
    '%eth0',
    '%',
    ':80',
    '/032',
    '/1e1',
  ),
);
const alphabet = fc.constantFrom(...Array.from('0123456789abcdefABCDEF..::::///%% xXg-+[],\u0660\u0000\n'));
const mutated = fc
  .tuple(fc.oneof(plain, aligned), fc.nat(), fc.integer({ min: 0, max: 2 }), alphabet)
  .map(([text, where, removed, char]) => {
    const at = where % (text.length + 1);
    return text.slice(0, at) + (removed === 2 ? '' : char) + text.slice(at + (removed === 0 ? 0 : 1));
  });
const noise = fc.oneof(fc.string({ unit: alphabet, maxLength: 24 }), fc.string({ unit: 'binary', maxLength: 12 }));
const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(plain, suffix).map((parts) => parts.join('')) },
  { weight: 3, arbitrary: aligned },
  { weight: 2, arbitrary: fc.tuple(good, fc.integer({ min: 0, max: 128 })).map((parts) => parts.join('/')) },
  { weight: 3, arbitrary: mutated },
  { weight: 1, arbitrary: noise },
);
const bit = fc.integer({ min: 0, max: 31 });
/** The first address of a range with perhaps one bit flipped: where a comparison goes wrong by one. */
const near = fc.tuple(aligned, bit, fc.boolean()).map(([range, at, flip]) => {
  const text = range.slice(0, range.indexOf('/'));
  const separator = text.includes(':') ? ':' : '.';
  const size = separator === ':' ? 16 : 8;
  const parts = text.split(separator).map((part) => Number.parseInt(part, separator === ':' ? 16 : 10));
  const hit = Math.floor(at / size) % parts.length;
  const changed = parts.map((part, index) => (flip && index === hit ? part ^ (1 << (at % size)) : part));
  return { range, address: changed.map((part) => part.toString(separator === ':' ? 16 : 10)).join(separator) };
});
const question: fc.Arbitrary<Question> = fc
  .tuple(anyText, fc.oneof(good, anyText), fc.array(aligned, { maxLength: 3 }), near, fc.boolean())
  .map(([text, address, ranges, close, useClose]) =>
    useClose ? { text, address: close.address, ranges: [...ranges, close.range] } : { text, address, ranges },
  )
  // the one generated range of every address: no list may hold it, as a case of its own shows
  .filter(({ ranges }) => !ranges.includes('0:0:0:0:0:ffff:0:0/96'));

function answerOf({ text, address, ranges }: Question): Answer {
  let range: string | null;
  try {
    range = parseAllowedIp(text).text;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    const hint = /host bits set\. Write (.*)\.$/.exec(error.publicMessage)?.[1];
    range = hint === undefined ? null : `host bits: ${hint}`;
  }
  return { range, address: parseAddress(address) ?? null, admitted: new AllowedIps(ranges).admits(address) };
}

describe("Python's ipaddress and this reader", () => {
  it('agree on 120,000 generated ranges, addresses and memberships', () => {
    const seed = Date.now();
    const questions = fc.sample(question, { numRuns: 120_000, seed });
    const run = spawnSync('python3', ['-c', REFERENCE], {
      input: questions.map((asked) => JSON.stringify(asked)).join('\n'),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    expect({ error: run.error, stderr: run.stderr, status: run.status }).toEqual({
      error: undefined,
      stderr: '',
      status: 0,
    });
    const answers = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
    expect(answers).toHaveLength(questions.length);
    const disagreements = questions.flatMap((asked, at) => {
      const [python, ours] = [JSON.stringify(answers[at]), JSON.stringify(answerOf(asked))];
      return python === ours ? [] : [{ seed, asked, python, ours }];
    });
    expect(disagreements.slice(0, 5)).toEqual([]);
    // a generator that made only rubbish, or only good text, would prove nothing
    const share = (holds: (answer: Answer) => boolean): number => answers.filter(holds).length / answers.length;
    expect(share(({ range }) => range === null)).toBeGreaterThan(0.15);
    expect(share(({ range }) => range !== null && !range.startsWith('host'))).toBeGreaterThan(0.3);
    expect(share(({ range }) => range?.startsWith('host') ?? false)).toBeGreaterThan(0.05);
    expect(share(({ admitted }) => admitted)).toBeGreaterThan(0.2);
    expect(share(({ admitted, address }) => !admitted && address !== null)).toBeGreaterThan(0.2);
  }, 120_000);
});
