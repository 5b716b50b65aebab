import { describe, expect, it } from '@jest/globals';
import { Api } from './api.ts';

const at = new Date('2026-11-23T10:00:00.000Z');
const later = new Date('2026-11-23T11:00:00.000Z');

describe('Api', () => {
  it('tells of its making, changes and end in the chain of the platform', () => {
    const api = Api.create('invoices', 'Invoices', '', at);
    expect(api.edit({ name: 'Bills', description: '' }, later)).toBe(true);
    api.delete();
    expect(api.state).toMatchObject({ key: 'invoices', name: 'Bills', version: 2, createdAt: at, updatedAt: later });
    const subject = { type: 'api', id: 'invoices' };
    expect(api.pullEvents()).toMatchObject([
      { type: 'api.created.v1', operationId: null, subject, data: { name: 'Invoices', description: '' } },
      {
        type: 'api.updated.v2',
        operationId: null,
        subject,
        data: { before: { name: 'Invoices' }, after: { name: 'Bills' } },
      },
      { type: 'api.deleted.v1', operationId: null, subject },
    ]);
  });

  it('is not changed by what it is already', () => {
    const api = Api.create('invoices', 'Invoices', 'All of them.', at);
    api.pullEvents();
    expect(api.edit({ name: 'Invoices', description: undefined }, later)).toBe(false);
    expect(api.state.version).toBe(1);
    expect(api.pullEvents()).toEqual([]);
  });
});
