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
  ])('calls %j malformed', (value) => {
    expect(read(value)).toBe('malformed');
  });

  it.each(['Basic YTpi', 'BearerX abc', 'DPoP abc', 'abc'])('leaves %s to others', (value) => {
    expect(read(value)).toBe('other-scheme');
  });

  it('tells absent, and two lines malformed', () => {
    expect(parseBearerAuthorization(['Accept', '*/*'])).toBe('absent');
    expect(parseBearerAuthorization(['authorization', 'Bearer a', 'Authorization', 'Bearer a'])).toBe('malformed');
  });

  it('reads another header when told to', () => {
    expect(parseBearerAuthorization(['X-Token', 'Bearer a'], 'x-token')).toEqual({ token: 'a' });
  });

  it('takes linear time over long rubbish', () => {
    for (const value of [
      `Bearer ${'a'.repeat(1_000_000)}!`,
      `Bearer ${' '.repeat(1_000_000)}!`,
      `Bearer a${'='.repeat(1_000_000)}!`,
    ]) {
      expect(read(value)).toBe('malformed');
    }
  });
});
