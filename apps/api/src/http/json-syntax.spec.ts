import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonSyntaxFault } from './json-syntax.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Texts made of JSON's own pieces, most of them not JSON. */
const nearJson = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '0',
      '01',
      '.5',
      'e',
      'true',
      'nul',
      ' ',
      '\n',
      '\\',
      '\t',
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

describe('jsonSyntaxFault', () => {
  it.each([
    ['{"a": 1,}', 1, 9],
    ['{"a" 1}', 1, 6],
    ['[1 2]', 1, 4],
    ['{\n  "a": [1,\n  2,\n  ]\n}', 4, 3],
    ['{"a": "b\nc"}', 1, 9],
    ['"\\x"', 1, 2],
    ['{} {}', 1, 4],
    ['[', 1, 2],
    ['{"a":', 1, 6],
    ['', 1, 1],
    ['tru', 1, 1],
    ['[1}', 1, 3],
  ])('finds where %j stops being JSON: line %i, column %i', (text, line, column) => {
    expect(jsonSyntaxFault(text)).toEqual({ line, column });
  });

  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(fc.oneof(nearJson, fc.json(), fc.string()), (text) => {
        expect(jsonSyntaxFault(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds the first character that was replaced by one that JSON does not allow', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, seed) => {
        const text = JSON.stringify(value);
        const at = seed % text.length;
        const broken = `${text.slice(0, at)}\u0001${text.slice(at)}`;
        const found = jsonSyntaxFault(broken);
        // a scalar that is cut in two may be found at its beginning
        expect(found).toBeDefined();
        expect(found!.column - 1).toBeLessThanOrEqual(at);
      }),
    );
  });

  it('takes linear time', () => {
    const long = `[${'"\\\\\\"",'.repeat(20_000)}`;
    expect(jsonSyntaxFault(long)).toBeDefined();
  });
});
