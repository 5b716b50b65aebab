import { describe, expect, it } from '@jest/globals';
import { comparedThing, lossOf } from './losses.ts';
import type { Edit } from './losses.ts';

const CREDENTIAL = '/v1/operations/{operationId}/credentials/{credentialId}';
const OPERATION = '/v1/operations/{operationId}';
const USER = '/v1/users/{userId}';

const edit = (template: string, body: object, method = 'patch'): Edit => ({ template, method, body: { ...body } });

function loss(template: string, body: object, before?: object, method = 'patch'): unknown[] | undefined {
  const found = lossOf(edit(template, body, method), before === undefined ? undefined : { ...before });
  return found === undefined ? undefined : [found.asked, ...found.lost];
}

describe('an edit that takes something away', () => {
  it.each([
    ['disables a credential', CREDENTIAL, { status: 'disabled' }, undefined, ['Disable']],
    ['disables a user', USER, { status: 'disabled' }, undefined, ['Disable']],
    ['suspends an operation', OPERATION, { status: 'suspended' }, undefined, ['Suspend']],
    ['removes APIs', `${CREDENTIAL}/apis`, { remove: ['a', 'b'] }, undefined, ['Take APIs away from', 'a', 'b']],
    ['leaves out an API', CREDENTIAL, { apis: ['b'] }, { apis: ['a', 'b'] }, ['Take APIs away from', 'a']],
    [
      'leaves out an address',
      CREDENTIAL,
      { allowedIps: ['::2'] },
      { allowedIps: ['::1'] },
      ['Take addresses away from', '::1'],
    ],
    [
      'lists addresses',
      CREDENTIAL,
      { allowedIps: ['::1'] },
      { allowedIps: [] },
      ['Take addresses away from', 'all but ::1'],
    ],
    ['leaves out a role', USER, { roles: [] }, { roles: ['auditor'] }, ['Take roles away from', 'auditor']],
    [
      'limits an auditor',
      USER,
      { auditedOperationIds: ['op_1'] },
      { auditedOperationIds: null },
      ['Take operations away from', 'all but op_1'],
    ],
    ['may leave out something', CREDENTIAL, { apis: ['b'] }, undefined, ['Take APIs away from']],
  ])('asks: %s', (_what, template, body, before, asked) => {
    expect(loss(template, body, before)).toEqual(asked);
  });

  it('asks before the APIs of an operation are listed, and before a leaked secret ends', () => {
    const listed = { mode: 'listed', apis: ['a'] };
    expect(loss(`${OPERATION}/apis`, listed, { mode: 'all', apis: [] }, 'put')).toEqual([
      'Take APIs away from',
      'all but a',
    ]);
    expect(loss('/v1/leaks', { text: 'x', revoke: true }, undefined, 'post')).toEqual(['End what leaked']);
  });
});

describe('an edit that takes nothing away', () => {
  it.each([
    ['enables', CREDENTIAL, { status: 'active' }, undefined],
    ['renames', CREDENTIAL, { name: 'x' }, undefined],
    ['adds an API', `${CREDENTIAL}/apis`, { add: ['a'], remove: [] }, undefined],
    ['keeps all APIs', CREDENTIAL, { apis: ['a', 'b'] }, { apis: ['a'] }],
    ['admits every address', CREDENTIAL, { allowedIps: [] }, { allowedIps: ['::1'] }],
    ['shows an auditor everything', USER, { auditedOperationIds: null }, { auditedOperationIds: ['op_1'] }],
  ])('does not ask: %s', (_what, template, body, before) => {
    expect(loss(template, body, before)).toBeUndefined();
  });

  it('does not ask for a creation, or for a leak that is only looked up', () => {
    expect(loss('/v1/operations', { status: 'suspended' }, undefined, 'post')).toBeUndefined();
    expect(loss('/v1/leaks', { text: 'x', revoke: false }, undefined, 'post')).toBeUndefined();
    expect(loss(`${OPERATION}/apis`, { mode: 'all' }, { mode: 'listed', apis: ['a'] }, 'put')).toBeUndefined();
  });
});

it('compares lists with the thing that holds them', () => {
  expect(comparedThing(edit(CREDENTIAL, { apis: [] }))).toBe(CREDENTIAL);
  expect(comparedThing(edit(`${CREDENTIAL}/apis`, { apis: [] }, 'put'))).toBe(CREDENTIAL);
  expect(comparedThing(edit(`${OPERATION}/apis`, { mode: 'listed', apis: [] }, 'put'))).toBe(`${OPERATION}/apis`);
  expect(comparedThing(edit(CREDENTIAL, { status: 'disabled' }))).toBeUndefined();
});
