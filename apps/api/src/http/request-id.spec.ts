import { expect, it } from '@jest/globals';
import { requestIdOf } from './request-id.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

it.each(['a', 'Req-1_2.3', 'x'.repeat(64), '4bf92f3577b34da6a3ce929d0e0e4736'])('accepts the request id %s', (id) => {
  expect(requestIdOf(id)).toBe(id);
});

it.each([
  undefined,
  '',
  'x'.repeat(65),
  'a b',
  'a\n',
  '\na',
  'a\r\nb',
  '{"a":1}',
  'a/b',
  'é',
  '<b>',
  'a,b',
  ['a'],
  ['a', 'b'],
  [],
])('creates a new request id for %j', (header) => {
  expect(requestIdOf(header)).toMatch(UUID);
});

it('never creates the same request id twice', () => {
  expect(new Set(Array.from({ length: 1000 }, () => requestIdOf(undefined))).size).toBe(1000);
});
