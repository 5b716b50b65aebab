import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FormError, isFormMediaType, parseForm } from './form.ts';

const entriesOf = (body: string): [string, string][] => [...parseForm(body).values];

describe('parseForm', () => {
  it.each([
    ['', []],
    ['a=1', [['a', '1']]],
    [
      'a=1&b=2',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['&&a=1&', [['a', '1']]],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    ['=1', [['', '1']]],
    ['a=b=c', [['a', 'b=c']]],
    ['scope=a+b%20c d', [['scope', 'a b c d']]],
    ['a=%2B%26%3D', [['a', '+&=']]],
    ['grant%5Ftype=x', [['grant_type', 'x']]],
    ['a=%C3%A9%F0%9F%98%80', [['a', 'é😀']]],
    [
      'grant_type[]=x&grant_type[0]=y&a.b=z',
      [
        ['grant_type[]', 'x'],
        ['grant_type[0]', 'y'],
        ['a.b', 'z'],
      ],
    ],
    [
      '__proto__=x&constructor=y&__proto__[z]=1',
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
        ['__proto__[z]', '1'],
      ],
    ],
    ['a=1;b=2', [['a', '1;b=2']]],
  ])('reads %j', (body, entries) => {
    expect(entriesOf(body)).toEqual(entries);
  });

  it('names repeated parameters, even if encoded differently, and keeps the first value', () => {
    const form = parseForm('a=1&b=2&%61=3&c=4&a=1&__proto__=5&__proto__=5');
    expect([...form.repeated]).toEqual(['a', '__proto__']);
    expect(form.values.get('a')).toBe('1');
    expect(parseForm('a=1&A=2&a[]=3').repeated.size).toBe(0);
  });

  it.each([
    'a=%',
    'a=%2',
    'a=%zz',
    '%=1',
    'a=%C3',
    'a=%C3%28',
    'a=%ED%A0%80',
    'a=%C0%80',
    'a=%FF',
    'a=é',
    'a=\n',
    'a=1\r\n',
    'a=\0',
    '\uFEFFa=1',
    'a=%u0041',
  ])('refuses %j', (body) => {
    expect(() => parseForm(body)).toThrow(FormError);
  });

  it('repeats no submitted value', () => {
    expect(() => parseForm('canary77=canary77%zz')).toThrow(/^(?!.*canary77)/);
  });

  it('reads back what URLSearchParams writes', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name }), (pairs) => {
        expect(entriesOf(new URLSearchParams(pairs).toString())).toEqual(pairs);
      }),
      { numRuns: 2000 },
    );
  });

  it('throws only its own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab=&%+20fFzé[]')) }), (body) => {
        try {
          const first = new Map<string, string>();
          for (const [name, value] of new URLSearchParams(body)) if (!first.has(name)) first.set(name, value);
          expect(entriesOf(body)).toEqual([...first]);
        } catch (error) {
          if (!(error instanceof FormError)) expect(error).toBeUndefined();
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('isFormMediaType', () => {
  it.each([
    'application/x-www-form-urlencoded',
    'Application/X-WWW-Form-Urlencoded',
    'application/x-www-form-urlencoded;charset=utf-8',
    'application/x-www-form-urlencoded ; charset="UTF-8"',
    'application/x-www-form-urlencoded; CHARSET=utf-8;',
    'application/x-www-form-urlencoded; charset=ISO-8859-1',
    'application/x-www-form-urlencoded;charset=US-ASCII',
    'application/x-www-form-urlencoded; charset=utf8',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/x-www-form-urlencoded; charset=utf-8; charset=utf-16',
    'application/x-www-form-urlencoded; charset="utf-8',
    'application/x-www-form-urlencoded; charset = utf-8',
    'application/x-www-form-urlencoded; charset',
    'application/x-www-form-urlencoded; boundary=x',
  ])('accepts %s', (type) => {
    expect(isFormMediaType(type)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded2',
    'application/x-www-form-urlencoded, application/json',
    'x application/x-www-form-urlencoded',
  ])('refuses %s', (type) => {
    expect(isFormMediaType(type)).toBe(false);
  });
});
