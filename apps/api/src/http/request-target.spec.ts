import { describe, expect, it } from '@jest/globals';
import { normalTarget } from './request-target.ts';

describe('a normalized request target', () => {
  it.each([
    ['/oauth2/token', '/oauth2/token'],
    ['/v1/events?from=%41#', '/v1/events?from=%41%23'],
    ['/oauth2/%74oken?scope=%74', '/oauth2/token?scope=%74'],
    ['/%6fauth2/%74o%6Be%6e', '/oauth2/token'],
    ['http://host/oauth2/token?x', '/oauth2/token?x'],
    ['HTTPS://user@host:8443/a', '/a'],
    ['http://host', '/'],
    ['http://host?x', '/?x'],
    ['/oauth2/token#x', '/oauth2/token%23x'],
    ['/a%2Fb%3F%25%zz%C3%A4', '/a%2Fb%3F%25%zz%C3%A4'],
    ['/%2E%2e/~-_.', '/../~-_.'],
    ['*', '*'],
    ['//host/oauth2/token', '//host/oauth2/token'],
  ])('%s is %s', (sent, normal) => {
    expect(normalTarget(sent)).toBe(normal);
    expect(normalTarget(normal)).toBe(normal);
  });

  it('is computed in linear time', () => {
    const long = `/${'%25'.repeat(5_000)}${'%41#'.repeat(5_000)}`;
    expect(normalTarget(long)).toHaveLength(1 + 15_000 + 4 * 5_000);
  });
});
