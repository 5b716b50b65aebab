import { describe, expect, it } from '@jest/globals';
import { accepts } from './accept.ts';

const JSON_TYPES = ['application/json', 'application/problem+json'];

describe('an Accept header', () => {
  it.each([
    undefined,
    '',
    ' ',
    '*/*',
    'application/*',
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=utf-8',
    'application/json; version=1; profile="https://example.org/a,b;q=0"',
    'application/json;q=0.1;level=1',
    'application/json ; indent=4 ; q=0.5',
    'text/html, application/json;q=0.9',
    'text/html;level=1, */*;q=0.1',
    'application/problem+json',
    'text/csv;header=present, application/json;odata=verbose',
  ])('%j admits JSON', (accept) => {
    expect(accepts(accept, JSON_TYPES)).toBe(true);
  });

  it.each([
    'text/html',
    'image/png;q=1',
    'application/json;q=0',
    'application/json;q=0;charset=utf-8, application/problem+json;q=0',
    '*/*;q=0',
    'json',
    'text/csv;x="application/json"',
    'text/plain;a="b, application/json"',
    'application/x-ndjson',
  ])('%j does not', (accept) => {
    expect(accepts(accept, ['application/json'])).toBe(false);
  });

  it('lets a more specific weight decide', () => {
    expect(accepts('application/json;q=0, */*', ['application/json'])).toBe(false);
    expect(accepts('*/*;q=0, application/json', ['application/json'])).toBe(true);
  });

  it('is parsed in linear time', () => {
    expect(accepts(`text/html;a="${'\\"'.repeat(8_000)}`, JSON_TYPES)).toBe(false);
    expect(accepts(';a="'.repeat(4_000), JSON_TYPES)).toBe(false);
  });
});
