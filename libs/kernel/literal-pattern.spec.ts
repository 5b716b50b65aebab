import { describe, expect, it } from '@jest/globals';
import { literalPattern } from './literal-pattern.ts';

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

describe('literalPattern', () => {
  it.each(['a.b', '.*', '^$', '(a|b)', '[a-z]', '\\', 'a{2}', '/', 'é', '𝔘', ASCII.join('')])(
    'matches %j itself',
    (text) => {
      expect(new RegExp(`^${literalPattern(text)}$`).test(text)).toBe(true);
    },
  );

  it('matches only the character that it was made from', () => {
    for (const one of ASCII)
      expect(ASCII.filter((other) => new RegExp(`^${literalPattern(one)}$`).test(other))).toEqual([one]);
  });

  it('contains no NUL, which the store refuses', () => {
    expect(literalPattern('a\0b')).toBe(String.raw`a\x00b`);
  });
});
