import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalForm, MAX_LEVELS, readJson } from './json.ts';
import type { Json } from './json.ts';

const read = (text: string | Buffer) => readJson(Buffer.from(text));

describe('the canonical form', () => {
  // RFC 8785 3.2.2: the example, but for its fractions, which an event cannot hold
  it('serialises as RFC 8785 3.2.2 shows', () => {
    const value = { numbers: [333333333, 4, 2], string: '€$\u000F\nA\'B"\\\\"/', literals: [null, true, false] };
    expect(canonicalForm(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333,4,2],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  // RFC 8785 3.2.3: an order that code points would not give
  it('sorts as RFC 8785 3.2.3 shows', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1F600}', '\u0080', '\u00f6'];
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1F600}', '\ufb33'];
    const object = (list: string[]) => list.map((name) => `${JSON.stringify(name)}:0`).join(',');
    const value = JSON.parse(`{${object(names)}}`) as Json;
    expect(canonicalForm(value)).toBe(`{${object(sorted)}}`);
  });

  it.each([
    ['a fraction', 0.1],
    ['an unsafe integer', 2 ** 53],
    ['infinity', JSON.parse('1e999') as number],
    ['a lone surrogate', ['\ud800']],
    ['a lone surrogate in a name', { '\udc00': 1 }],
  ])('does not exist for %s', (_name, value) => expect(canonicalForm(value)).toBeNull());

  it('matches another implementation', () => {
    const text = fc.string({ unit: 'binary' });
    const { value: values } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        ...[text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null)],
        fc.array(tie('value')),
        fc.dictionary(fc.oneof(text, fc.constantFrom('9', '10', '\u{1F600}', '\ufb33')), tie('value')),
      ),
    }));
    fc.assert(
      fc.property(values, (value) => expect(canonicalForm(value)).toBe(canonicalize(value))),
      { numRuns: 500 },
    );
  });
});

describe('readJson', () => {
  it('reads one JSON text and nothing else', () => {
    expect(read('{"a":1}')).toEqual({ text: '{"a":1}', value: { a: 1 } });
    for (const text of ['', ' ', '{} {}', '\ufeff{}', 'NaN', "{'a':1}", '01'])
      expect(read(text)).toEqual({ fault: 'not-json' });
  });

  it.each([
    ['a bare continuation byte', Buffer.of(0x22, 0x80, 0x22)],
    ['an overlong slash', Buffer.of(0x22, 0xc0, 0xaf, 0x22)],
    ['a surrogate', Buffer.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['beyond U+10FFFF', Buffer.of(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22)],
  ])('refuses what is not UTF-8: %s', (_name, bytes) => expect(read(bytes)).toEqual({ fault: 'not-utf8' }));

  it(`counts ${MAX_LEVELS} levels of nesting, not brackets in strings`, () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(read(nested(MAX_LEVELS))).not.toHaveProperty('fault');
    expect(read(nested(MAX_LEVELS + 1))).toEqual({ fault: 'not-json' });
    expect(read(nested(500_000))).toEqual({ fault: 'not-json' });
    expect(read(`{"a":${nested(MAX_LEVELS)},"a":1}`)).toEqual({ fault: 'not-json' }); // hidden by a duplicate
    expect(read(JSON.stringify(`\\"${'[{'.repeat(100)}`))).not.toHaveProperty('fault');
  });
});
