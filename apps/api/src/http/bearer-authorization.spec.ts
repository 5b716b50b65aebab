import { describe, expect, it } from '@jest/globals';
import { parseBearerAuthorization } from './bearer-authorization.ts';

const read = (value: string): unknown => parseBearerAuthorization(['Authorization', value]);

describe('parseBearerAuthorization', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER abc', 'abc'],
    ['Bearer   abc', 'abc'],
    ['Bearer aZ09-._~+/==', 'aZ09-._~+/=='],
  ])('reads %s', (value, token) => {
    expect(read(value)).toEqual({ token });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    'Bearer a b',
    'Bearer abc ',
    'Bearer\tabc',
    'Bearer a=b',
    'Bearer =',
    'Bearer "abc"',
    'Bearer é',
    'Bearer a,Bearer b',
    ' Bearer abc',
  ])('reports %j as malformed', (value) => {
    expect(read(value)).toBe('malformed');
  });

  it.each(['Basic YTpi', 'BearerX abc', 'DPoP abc', 'abc'])('reports another scheme for %s', (value) => {
    expect(read(value)).toBe('other-scheme');
  });

  it('reports an absent header, and two lines as malformed', () => {
    expect(parseBearerAuthorization(['Accept', '*/*'])).toBe('absent');
    expect(parseBearerAuthorization(['authorization', 'Bearer a', 'Authorization', 'Bearer a'])).toBe('malformed');
  });

  it('reads another header if asked', () => {
    expect(parseBearerAuthorization(['X-Token', 'Bearer a'], 'x-token')).toEqual({ token: 'a' });
  });

  it('takes linear time for long invalid input', () => {
    for (const value of [
      `Bearer ${'a'.repeat(1_000_000)}!`,
      `Bearer ${' '.repeat(1_000_000)}!`,
      `Bearer a${'='.repeat(1_000_000)}!`,
    ]) {
      expect(read(value)).toBe('malformed');
    }
  });
});
