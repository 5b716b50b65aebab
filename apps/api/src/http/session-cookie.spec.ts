import { describe, expect, it } from '@jest/globals';
import { SessionCookie } from './session-cookie.ts';

const over = (publicUrl: string): SessionCookie =>
  new SessionCookie({ publicUrl, publicPath: new URL(publicUrl).pathname.replace(/\/$/, '') });

describe('SessionCookie', () => {
  it.each([
    ['https://latchkey.example', '__Host-latchkey=v; Path=/; HttpOnly; SameSite=Lax; Secure'],
    ['https://latchkey.example/auth', '__Secure-latchkey=v; Path=/auth; HttpOnly; SameSite=Lax; Secure'],
    ['http://127.0.0.1:3000', 'latchkey=v; Path=/; HttpOnly; SameSite=Lax'],
    ['http://127.0.0.1:3000/auth', 'latchkey=v; Path=/auth; HttpOnly; SameSite=Lax'],
  ])('of %s is %s', (publicUrl, text) => {
    expect(over(publicUrl).set('v')).toBe(text);
    expect(over(publicUrl).clear()).toBe(text.replace('=v;', '=; Max-Age=0;'));
  });

  it.each([
    ['a=1; latchkey=lk_ss_x; b=2', 'lk_ss_x'],
    ['latchkey=one; latchkey=two', 'one'],
    ['latchkey=lk=ss', undefined],
    ['latchkey="lk_ss_x"', undefined],
    ['latchkey=', undefined],
    ['xlatchkey=lk_ss_x', undefined],
    ['Latchkey=lk_ss_x', undefined],
    ['latchkey', undefined],
    [`latchkey=${'x'.repeat(2_049)}`, undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %j', (header, value) => {
    expect(over('http://127.0.0.1:3000').read(header)).toBe(value);
  });
});
