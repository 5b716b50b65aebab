import { describe, expect, it } from '@jest/globals';
import { secretIn } from './shown-secrets.ts';

describe('a secret in an answer', () => {
  it.each([
    [
      { id: 'cr_1', name: 'Robot', clientId: 'lk_ci_1', clientSecret: 'lk_cs_1' },
      { member: 'clientSecret', owner: 'Robot', userName: { member: 'clientId', value: 'lk_ci_1' }, value: 'lk_cs_1' },
    ],
    [
      { id: 'rs_1', name: 'Gateway', resourceServerSecret: 'lk_rs_1' },
      { member: 'resourceServerSecret', owner: 'Gateway', userName: { member: 'id', value: 'rs_1' }, value: 'lk_rs_1' },
    ],
    [
      { id: 'ak_1', name: 'Deployment', apiKey: 'lk_ak_1' },
      { member: 'apiKey', owner: 'Deployment', userName: undefined, value: 'lk_ak_1' },
    ],
  ])('is found in %j', (body, secret) => {
    expect(secretIn(body)).toEqual(secret);
  });

  it.each([
    [{ id: 'cr_1', clientId: 'lk_ci_1', clientSecret: null }],
    [{ apiKey: 'invoices' }],
    [{ items: [] }],
    ['text'],
    [undefined],
  ])('is not found in %j', (body) => {
    expect(secretIn(body)).toBeUndefined();
  });
});
