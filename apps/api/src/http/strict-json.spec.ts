import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StrictJsonError, parseStrictJson } from './strict-json.ts';

function read(text: string): unknown {
  return parseStrictJson(Buffer.from(text, 'utf8'));
}

function faultOf(body: string | Buffer): StrictJsonError {
  try {
    parseStrictJson(typeof body === 'string' ? Buffer.from(body, 'utf8') : body);
  } catch (error) {
    expect(error).toBeInstanceOf(StrictJsonError);
    return error as StrictJsonError;
  }
  throw new Error('accepted');
}

describe('strict JSON accepts', () => {
  it.each([
    'null',
    '[]',
    '1',
    '"a"',
    ' {"a": [1, -2.5e-3, true, false, null, "\\u00e9\\ud83d\\ude00\\"\\\\"], "b": {"a": 1}} \n',
    '{"":1,"a/b":{"":2}}',
    '[{"a":1},{"a":2}]',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '["a,a","]]]]","[[[["]',
    `"\\"${'['.repeat(40)}"`,
    `["\\\\",${'['.repeat(31)}${']'.repeat(31)}]`,
    '1e308',
    '1e-999',
    `${'['.repeat(32)}${']'.repeat(32)}`,
  ])('%s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it('every document, with the result of JSON.parse', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 8, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 1, '\t'),
        (json, indent) => {
          const text = JSON.stringify(JSON.parse(json), undefined, indent);
          expect(read(text)).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('only documents that JSON.parse accepts, and throws only its own error on mutated ones', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u',
      'd800',
      '1e999',
      '1',
      '"a"',
      'true',
      '\0',
      'é',
      '"a":1',
      ' ',
    );
    const mutated = fc.tuple(fc.json(), fc.nat(), pieces).map(([json, where, piece]) => {
      const at = where % (json.length + 1);
      return json.slice(0, at) + piece + json.slice(at);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            expect(read(text)).toEqual(JSON.parse(text));
          } catch (error) {
            if (!(error instanceof StrictJsonError)) throw error;
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it('__proto__ and similar names as own members, without prototype pollution', () => {
    const value = read('{"__proto__":{"admin":true},"constructor":1,"toString":2}') as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    expect((value as Record<string, unknown>)['admin']).toBeUndefined();
  });
});

describe('strict JSON refuses', () => {
  it.each([
    ['nothing', ''],
    ['white space', '  '],
    ['trailing junk', '{"a":1} x'],
    ['two documents', '{}{}'],
    ['a trailing comma', '{"a":1,}'],
    ['a comment', '{"a":1}//'],
    ['single quotes', "{'a':1}"],
    ['NaN', '[NaN]'],
    ['Infinity', '[Infinity]'],
    ['a leading zero', '[01]'],
    ['a plus sign', '[+1]'],
    ['a control character in a string', '"a\nb"'],
    ['an unknown escape', '"\\x41"'],
    ['an unclosed string', '"abc'],
    ['an escape at the end', '"\\'],
    ['an unclosed array', '[1'],
    ['too many ends', ']]]'],
    ['a no-break space between', '[1,\u00A02]'],
    ['undefined', 'undefined'],
  ])('%s', (_what, text) => {
    const publicMessage = expect.stringMatching(/^The body is not a JSON document; see line \d+, column \d+\.$/);
    expect(faultOf(text)).toMatchObject({ pointer: '', publicMessage });
  });

  it('a byte order mark, UTF-16 and bad UTF-8', () => {
    expect(faultOf('\uFEFF{}').publicMessage).toContain('byte order mark');
    expect(faultOf(Buffer.from('{}', 'utf16le')).pointer).toBe('');
    for (const bytes of [
      [0xff],
      [0x22, 0xc3, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
    ]) {
      expect(faultOf(Buffer.from(bytes)).publicMessage).toBe('The body is not valid UTF-8.');
    }
  });

  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"a":{"a":1},"a":2}', '/a'],
    ['{"x":[{"b":1},{"b":1,"c":[1,2],"b":2}]}', '/x/1/b'],
    ['{"a/b":{"c~d":1,"c~d":2}}', '/a~1b/c~0d'],
    ['{"":1,"":2}', '/'],
    ['{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['{"toString":1,"toString":2}', '/toString'],
    ['{"a":[[],{}],"b":{},"a":1}', '/a'],
  ])('a member twice: %s', (text, pointer) => {
    expect(faultOf(text)).toMatchObject({ pointer, publicMessage: 'The member occurs twice. Send it once.' });
  });

  it.each([
    ['1e999', ''],
    ['[0,-1e999]', '/1'],
    ['{"a":{"b":[1,1E400]}}', '/a/b/1'],
    [`{"n":${'9'.repeat(400)}}`, '/n'],
  ])('a number out of range: %#', (text, pointer) => {
    expect(faultOf(text)).toMatchObject({ pointer, publicMessage: 'The number is too large.' });
  });

  it.each([
    ['"\\ud800"', ''],
    ['{"a":"x\\uDC00y"}', '/a'],
    ['{"a":["ok","\\ud83d\\ud83d\\ude00"]}', '/a/1'],
    ['{"a":{"\\ud800":1}}', '/a'],
  ])('a lone surrogate: %s', (text, pointer) => {
    const fault = faultOf(text);
    expect(fault.pointer).toBe(pointer);
    expect(fault.publicMessage).toContain('surrogate');
  });

  it('nesting deeper than 32, of arrays and objects', () => {
    for (const text of [
      `${'['.repeat(33)}${']'.repeat(33)}`,
      `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`,
      '['.repeat(50_000),
      '[{"a":'.repeat(50_000),
    ]) {
      expect(faultOf(text).publicMessage).toBe('The document must be nested at most 32 levels deep.');
    }
  });

  it('more than 5,000 members, but not commas in a string', () => {
    expect(faultOf(`[${'1,'.repeat(5_001)}1]`).publicMessage).toBe('The document has too many members.');
    expect(read(`[${'1,'.repeat(5_000)}1]`)).toHaveLength(5_001);
    expect(read(`"${','.repeat(200_000)}"`)).toHaveLength(200_000);
  });

  it('without repeating a value or a long key', () => {
    const fault = faultOf('{"secret":"canary77","n":1e999}');
    expect(`${fault.pointer} ${fault.message}`).not.toContain('canary77');
    expect(faultOf('{"a":canary77}').message).not.toContain('canary77');
    const key = 'k'.repeat(100_000);
    expect(faultOf(`{"a":{"${key}":1,"${key}":2}}`).pointer).toBe('/a');
  });
});

describe('strict JSON of ten megabytes', () => {
  const megabytes = 10_000_000;

  it.each([
    ['of a string', () => `["${'x'.repeat(megabytes)}",1e999]`],
    ['of escapes', () => `["${'\\u0041'.repeat(megabytes / 6)}",1e999]`],
    ['of backslashes', () => `["${'\\\\'.repeat(megabytes / 2)}",1e999]`],
    ['of digits', () => `[${'9'.repeat(megabytes)}]`],
    ['of small arrays', () => `[${'[],'.repeat(megabytes / 3)}1e999]`],
    ['of open brackets', () => '['.repeat(megabytes)],
    ['of quotes', () => '"'.repeat(megabytes)],
    ['of white space', () => `${' '.repeat(megabytes)}1e999`],
    [
      'of different members',
      () => `{${Array.from({ length: megabytes / 12 }, (_, at) => `"k${at}":1`).join(',')},"k0":1}`,
    ],
    [
      'of as many members as may be',
      () => `{${Array.from({ length: 5_000 }, (_, at) => `"${at}${'k'.repeat(1_900)}":1`).join(',')},"n":1e999}`,
    ],
  ])('%s is refused in linear time', (_what, make) => {
    const body = Buffer.from(make(), 'utf8');
    const begun = process.cpuUsage();
    faultOf(body);
    const spent = process.cpuUsage(begun);
    // a fraction of a second on an idle machine; quadratic work would take hours
    expect((spent.user + spent.system) / 1000).toBeLessThan(20_000);
  });
});
