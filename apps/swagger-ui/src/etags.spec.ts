import { describe, expect, it } from '@jest/globals';
import { SeenEtags, versionedPath } from './etags.ts';

const OPERATION = '/v1/operations/op_1';
const CREDENTIAL = `${OPERATION}/credentials/cr_1`;

describe('the ETags that the page saw', () => {
  it.each([
    [OPERATION, OPERATION],
    [`${OPERATION}/apis`, OPERATION],
    [CREDENTIAL, CREDENTIAL],
    [`${CREDENTIAL}/apis`, CREDENTIAL],
    [`${CREDENTIAL}/secrets/se_1`, CREDENTIAL],
    [`${CREDENTIAL}/rotate-secret`, CREDENTIAL],
    ['/v1/apis/invoices', '/v1/apis/invoices'],
    ['/v1/resource-servers/rs_1/rotate-secret', '/v1/resource-servers/rs_1'],
    [`${OPERATION}/credentials`, undefined],
    ['/v1/operations', undefined],
    ['/oauth2/token', undefined],
  ])('%s has the version of %s', (path, thing) => {
    expect(versionedPath(path)).toBe(thing);
  });

  it('takes the last one, from whichever answer it came', () => {
    const etags = new SeenEtags();
    etags.saw(`${OPERATION}/credentials`, '"v1"', CREDENTIAL);
    expect(etags.of(`${CREDENTIAL}/apis`)).toBe('"v1"');
    etags.saw(`${CREDENTIAL}/rotate-secret`, '"v2"');
    expect(etags.of(CREDENTIAL)).toBe('"v2"');
    etags.forget(CREDENTIAL);
    expect(etags.of(CREDENTIAL)).toBeUndefined();
  });

  it('keeps the version that was shown whole when a look-up of the name finds a newer one', () => {
    const etags = new SeenEtags();
    etags.sawName(CREDENTIAL, '"v1"');
    expect(etags.of(CREDENTIAL)).toBe('"v1"');
    etags.saw(CREDENTIAL, '"v2"');
    etags.sawName(CREDENTIAL, '"v3"');
    expect(etags.of(CREDENTIAL)).toBe('"v2"');
  });
});
