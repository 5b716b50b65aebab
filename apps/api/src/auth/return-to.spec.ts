import { describe, expect, it } from '@jest/globals';
import { isOwnPath } from './return-to.ts';

describe('isOwnPath', () => {
  it.each(['/', '/docs', '/console?tab=1#top', '/v1/events?from=2026-01-01T00:00:00Z', '/a//b', '/@evil.example'])(
    'takes %s',
    (path) => {
      expect(isOwnPath(path)).toBe(true);
    },
  );

  it.each([
    '',
    'docs',
    'https://evil.example/',
    '//evil.example',
    '///evil.example',
    String.raw`/\evil.example`,
    String.raw`\\evil.example`,
    String.raw`/docs\..\evil`,
    '/\t/evil.example',
    '/\n/evil.example',
    '/ /evil.example',
    ' /docs',
    'javascript:alert(1)',
    '/döcs',
    `/${'x'.repeat(512)}`,
  ])('refuses %j', (path) => {
    expect(isOwnPath(path)).toBe(false);
  });
});
