import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseBasicAuthorization, parseUserAuthorization } from './basic-authorization.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const basic = (text: string): string[] => ['Host', 'x', 'Authorization', `Basic ${base64(text)}`];
const line = (value: string): string[] => ['authorization', value];

describe('parseBasicAuthorization', () => {
  it.each([
    ['id:secret', 'id', 'secret'],
    ['id:se:cr:et', 'id', 'se:cr:et'],
    ['lk%5Fci%5Fab:lk%2Dcs', 'lk_ci_ab', 'lk-cs'],
    ['a%3Ab:c%3ad', 'a:b', 'c:d'],
    ['a%2525:b', 'a%25', 'b'],
    ['a%2Bb:c', 'a+b', 'c'],
    ['~!:~!', '~!', '~!'],
  ])('reads %s', (pair, id, secret) => {
    expect(parseBasicAuthorization(basic(pair))).toEqual({ id, secret });
  });

  it.each(['basic', 'BASIC', 'bAsIc'])('accepts the scheme written as %s', (scheme) => {
    expect(parseBasicAuthorization(line(`${scheme} ${base64('id:secret')}`))).toEqual({ id: 'id', secret: 'secret' });
  });

  it('accepts one or more spaces after the scheme', () => {
    const pair = { id: 'id', secret: 'secret' };
    for (const spaces of [' ', '  ', '      ']) {
      expect(parseBasicAuthorization(line(`Basic${spaces}${base64('id:secret')}`))).toEqual(pair);
    }
    expect(parseUserAuthorization(line(`Basic   ${base64('ada:x')}`))).toEqual({ username: 'ada', password: 'x' });
  });

  it('reads only the named header, in any case', () => {
    const headers = ['Authorization', 'Bearer abc', 'X-FORWARD-AUTH-authorization', `Basic ${base64('gw:s')}`];
    expect(parseBasicAuthorization(headers, 'X-Forward-Auth-Authorization')).toEqual({ id: 'gw', secret: 's' });
    expect(parseBasicAuthorization(headers)).toBe('other-scheme');
    expect(parseBasicAuthorization(basic('id:secret'), 'x-forward-auth-authorization')).toBe('absent');
  });

  it('reports an absent header', () => {
    expect(parseBasicAuthorization([])).toBe('absent');
    expect(parseBasicAuthorization(['X', 'Authorization', 'Proxy-Authorization', 'Basic YTpi'])).toBe('absent');
    expect(parseBasicAuthorization(['Authorization', 'absent'])).toBe('other-scheme');
  });

  it.each([
    'Bearer abc',
    `NotBasicAtAll ${base64('id:secret')}`,
    `Basic2 ${base64('id:secret')}`,
    'Digest',
    `XBasic ${base64('id:secret')}`,
  ])('reports another scheme for %s', (value) => {
    expect(parseBasicAuthorization(line(value))).toBe('other-scheme');
  });

  it.each([
    ['nothing', ''],
    ['no parameters', 'Basic'],
    ['empty parameters', 'Basic '],
    ['a tab', `Basic\t${base64('id:secret')}`],
    ['a tab after a space', `Basic \t${base64('id:secret')}`],
    ['only spaces', 'Basic   '],
    ['space before', ` Basic ${base64('id:secret')}`],
    ['space after', `Basic ${base64('id:secret')} `],
    ['junk after', `Basic ${base64('id:secret')} x`],
    ['a second pair', `Basic ${base64('id:secret')}, Basic ${base64('id:secret')}`],
    ['base64 junk after padding', `Basic ${base64('id:s')}AAAA`],
    ['no padding', `Basic ${base64('id:secre').replace(/=+$/, '')}`],
    ['too much padding', `Basic ${base64('id:secret')}=`],
    ['unused bits', 'Basic YTpiYzE=x'.replace('E=x', 'F=')],
    ['the URL alphabet', `Basic ${base64('id:~~~~~>>>???').replaceAll('+', '-').replaceAll('/', '_')}`],
    ['a character of no alphabet', `Basic ${base64('id:secret')}!`],
    ['quotes', `"Basic ${base64('id:secret')}"`],
    ['a colon for the space', `Basic:${base64('id:secret')}`],
  ])('reports as malformed: %s', (_what, value) => {
    expect(parseBasicAuthorization(line(value))).toBe('malformed');
  });

  it.each([
    ['no colon', 'idsecret'],
    ['no id', ':secret'],
    ['no secret', 'id:'],
    ['neither', ':'],
    ['nothing', ''],
    ['half an escape', 'id:secret%2'],
    ['no escape', 'id:%zz'],
    ['a sign in an escape', 'id:%+1'],
  ])('reports as malformed inside the base64: %s', (_what, pair) => {
    expect(parseBasicAuthorization(basic(pair))).toBe('malformed');
  });

  it.each([
    ['a space', 'i d:secret'],
    ['a plus, which is a space', 'i+d:secret'],
    ['an encoded space', 'i%20d:secret'],
    ['an encoded NUL', 'id%00:secret'],
    ['a NUL', 'id\0:secret'],
    ['a line break behind the secret', 'id:secret\n'],
    ['a line break of Windows', 'id:secret\r\n'],
    ['an encoded line break', 'id:secret%0A'],
    ['white space behind the secret', 'id:secret '],
    ['white space before the secret', 'id: secret'],
    ['encoded umlaut', 'id:%C3%A9'],
    ['an umlaut', 'id:é'],
    ['DEL', 'id:\x7f'],
  ])('distinguishes an invalid character of id or secret from a malformed header: %s', (_what, pair) => {
    expect(parseBasicAuthorization(basic(pair))).toBe('unprintable');
  });

  it('reports two lines as malformed, even identical ones', () => {
    expect(parseBasicAuthorization([...basic('id:secret'), ...basic('id:secret')])).toBe('malformed');
    expect(parseBasicAuthorization([...basic('id:secret'), 'AUTHORIZATION', 'Bearer x'])).toBe('malformed');
    expect(parseBasicAuthorization(['authorization', '', ...basic('id:secret')])).toBe('malformed');
  });

  it('decodes any form-encoded visible ASCII', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
    });
    fc.assert(
      fc.property(visible, visible, (id, secret) => {
        const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
        expect(parseBasicAuthorization(basic(`${encode(id)}:${encode(secret)}`))).toEqual({ id, secret });
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, and accepts exactly one text per pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('YTpi=+/-_ ,:%')), maxLength: 12 }), (text) => {
        const read = parseBasicAuthorization(line(`Basic ${text}`));
        if (typeof read !== 'string') expect(Buffer.from(text, 'base64').toString('base64')).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('parseUserAuthorization', () => {
  it.each([
    ['ada:correct horse', 'ada', 'correct horse'],
    ['ada:a:b+c%41', 'ada', 'a:b+c%41'],
    ['Zoë:pässwörd', 'Zoë', 'pässwörd'],
    ['ada@example.org:🔑', 'ada@example.org', '🔑'],
    ['ada:\uFEFFx', 'ada', '\uFEFFx'],
  ])('reads %s unchanged', (pair, username, password) => {
    expect(parseUserAuthorization(basic(pair))).toEqual({ username, password });
  });

  it.each(['ada', ':x', 'ada:', ''])('reports %j as malformed', (pair) => {
    expect(parseUserAuthorization(basic(pair))).toBe('malformed');
  });

  it.each(['a\0da:x', 'ada:x\n', 'ada:x\u0085'])('reports the control character in %j', (pair) => {
    expect(parseUserAuthorization(basic(pair))).toBe('unprintable');
  });

  it('reports invalid UTF-8, loose base64 and two lines as malformed', () => {
    expect(parseUserAuthorization(line(`Basic ${Buffer.from('ada:p\xe4ss', 'latin1').toString('base64')}`))).toBe(
      'malformed',
    );
    expect(parseUserAuthorization(line(`Basic ${base64('ada:x')} `))).toBe('malformed');
    expect(parseUserAuthorization([...basic('ada:x'), ...basic('ada:x')])).toBe('malformed');
  });

  it('distinguishes an absent header from another scheme', () => {
    expect(parseUserAuthorization([])).toBe('absent');
    expect(parseUserAuthorization(line('Bearer x'))).toBe('other-scheme');
  });
});
