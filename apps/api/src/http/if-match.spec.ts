import { describe, expect, it } from '@jest/globals';
import { checkVersion } from '#kernel';
import type { DomainError } from '#kernel';
import { parseIfMatch } from './if-match.ts';

describe('parseIfMatch', () => {
  it.each([
    [undefined, undefined],
    ['*', 'any'],
    [' * ', 'any'],
    ['"v3"', [3]],
    ['W/"v3"', [3]],
    ['"v4", "x"', [4, 'foreign']],
    ['"a,b" , W/"v1"', ['foreign', 1]],
    ['"v1",, "v2",', [1, 2]],
    ['"v01"', ['foreign']],
    ['"v9999999999999999"', ['foreign']],
    ['""', ['foreign']],
    ['', ['malformed']],
    [',', ['malformed']],
    ['v1', ['malformed']],
    ['"v1', ['malformed']],
    ['"v1" "v2"', ['malformed']],
    ['w/"v1"', ['malformed']],
    ['"v1", *', ['malformed']],
    ['"v 1"', ['malformed']],
  ])('reads %j as %j', (header, expected) => {
    expect(parseIfMatch(header)).toEqual(expected);
  });
});

describe('checkVersion', () => {
  it.each([
    ['"v2"', /is at "v3", but If-Match names "v2"/],
    ['v3', /not a list of ETags/],
    ['"other"', /no ETag of this resource/],
  ])('reports the reason for %s', (header, why) => {
    let error: DomainError | undefined;
    try {
      checkVersion(3, parseIfMatch(header));
    } catch (thrown) {
      error = thrown as DomainError;
    }
    expect(error?.code).toBe('precondition-failed');
    expect(error?.publicDetail).toMatch(why);
  });

  it('accepts if any of several tags matches', () => {
    expect(() => checkVersion(4, parseIfMatch('"v4", "x"'))).not.toThrow();
    expect(() => checkVersion(3, parseIfMatch('W/"v3"'))).not.toThrow();
  });
});
