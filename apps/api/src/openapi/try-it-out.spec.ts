import { runInThisContext } from 'node:vm';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { fillIn, remember } from './try-it-out.ts';
import type { UiRequest, UiResponse } from './try-it-out.ts';

/** As the browser gets them: from their source text, with nothing around them. */
function alone<A, B>(action: (given: A) => B): (given: A) => B {
  return runInThisContext(`(${action.toString()})`) as (given: A) => B;
}
const fill = alone<UiRequest, UiRequest>(fillIn);
const keep = alone<UiResponse, UiResponse>(remember);

const answered = (path: string, body: object, ok = true): UiResponse => ({
  ok,
  url: `http://127.0.0.1:3000${path}`,
  text: JSON.stringify(body),
});
const urlOf = (url: string): string => fill({ url }).url;

describe('Try it out on the page of Swagger UI', () => {
  beforeEach(() => {
    runInThisContext('delete globalThis.latchkeyExamples');
  });

  it('leaves placeholders unchanged before anything was created', () => {
    expect(urlOf('/v1/operations/op_example')).toBe('/v1/operations/op_example');
  });

  it('fills path, query and body with what was created last', () => {
    keep(answered('/v1/operations', { id: 'op_1' }));
    keep(answered('/v1/operations', { id: 'op_2' }));
    keep(answered('/v1/operations/op_2/credentials', { id: 'cr_1' }));
    keep(answered('/oauth2/token', { access_token: 'lk_at_abc' }));
    expect(urlOf('/v1/operations/op_example/credentials/cr_example')).toBe('/v1/operations/op_2/credentials/cr_1');
    expect(urlOf('/v1/events?operationId=op_example')).toBe('/v1/events?operationId=op_2');
    expect(fill({ url: '/oauth2/introspect', body: 'token=lk_at_example' }).body).toBe('token=lk_at_abc');
    expect(fill({ url: '/x', body: { a: 1 } }).body).toEqual({ a: 1 });
  });

  it('remembers nothing from a refusal, from a response that is not JSON, or from another call', () => {
    keep(answered('/v1/operations', { id: 'op_1' }, false));
    keep({ ok: true, url: 'http://127.0.0.1:3000/v1/operations', text: 'no JSON' });
    keep(answered('/v1/operations/op_9', { id: 'op_9' }));
    keep({ ok: true });
    expect(urlOf('op_example')).toBe('op_example');
  });

  it('uses the first item of a list if nothing was created, and always for tokens and events', () => {
    keep(answered('/v1/users', { items: [{ id: 'us_1' }, { id: 'us_2' }] }));
    expect(urlOf('us_example')).toBe('us_1');
    keep(answered('/v1/users', { id: 'us_3' }));
    keep(answered('/v1/users', { items: [{ id: 'us_1' }] }));
    expect(urlOf('us_example')).toBe('us_3');
    for (const id of ['tk_1', 'tk_2']) keep(answered('/v1/operations/o/credentials/c/tokens', { items: [{ id }] }));
    expect(urlOf('tk_example')).toBe('tk_2');
    keep(answered('/v1/operations/o/credentials/c/tokens', { items: [] }));
    expect(urlOf('tk_example')).toBe('tk_2');
  });

  it('fills in the sign-in of a gateway and its caller, unless the person did', () => {
    keep(answered('/v1/resource-servers', { id: 'rs_1', resourceServerSecret: 'lk_rs_x' }));
    keep(answered('/oauth2/token', { access_token: 'lk_at_abc' }));
    const url = 'http://127.0.0.1:3000/oauth2/forward-auth?api=invoices';
    const { headers } = fill({ url, headers: { 'X-Forward-Auth-Authorization': 'Basic rs_example' } });
    expect(headers).toEqual({
      'X-Forward-Auth-Authorization': `Basic ${btoa('rs_1:lk_rs_x')}`,
      Authorization: 'Bearer lk_at_abc',
    });
    const own = { 'X-Forward-Auth-Authorization': 'Basic b3du', Authorization: 'Bearer own' };
    expect(fill({ url, headers: { ...own } }).headers).toEqual(own);
    expect(fill({ url: '/v1/me', headers: {} }).headers).toEqual({});
  });

  it('keeps the browser from opening its own sign-in dialog', () => {
    expect(fill({ url: '/v1/me' }).credentials).toBe('omit');
  });
});
