import { describe, expect, it } from '@jest/globals';
import { ScopeRefused } from './access-error.ts';
import { effectiveScope, grantScope } from './scope.ts';

describe('grantScope', () => {
  const granted = ['a', 'b', 'c'];

  it.each([undefined, ''])('grants everything when %p is asked for', (asked) => {
    expect(grantScope(asked, granted)).toEqual(granted);
  });

  it('ignores order and repetition', () => {
    expect(grantScope('c a c', granted)).toEqual(['a', 'c']);
  });

  it.each(['d', 'a d', 'A', ' a', 'a ', 'a  b', 'a\tb', 'a"b', 'a\\b', 'é', '\u0000'])('refuses %j', (asked) => {
    expect(() => grantScope(asked, granted)).toThrow(ScopeRefused);
  });

  it.each([undefined, 'a'])('refuses a credential without APIs when %p is asked for', (asked) => {
    expect(() => grantScope(asked, [])).toThrow(ScopeRefused);
  });
});

describe('effectiveScope', () => {
  it('contains what the token was issued with and its credential still has', () => {
    expect(effectiveScope(['a', 'b'], ['b', 'c'])).toEqual(['b']);
    expect(effectiveScope(['a', 'b'], ['a', 'b', 'c'])).toEqual(['a', 'b']);
    expect(effectiveScope(['a'], [])).toEqual([]);
  });
});
