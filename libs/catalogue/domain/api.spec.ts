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

  it('keeps its version during its removal, so the request can be repeated, and refuses edits', () => {
    const api = Api.create('invoices', 'Invoices', '', at);
    api.pullEvents();
    const actor = { type: 'user', id: 'us_1', ip: null } as const;
    api.startRemoval({ actor, requestId: 'r', idempotencyId: 'not kept' }, 3, later);
    expect(api.state).toMatchObject({ version: 1, updatedAt: at });
    expect(api.state.removal).toEqual({
      ...{ startedAt: later, workedAt: later, credentialsTotal: 3, credentialsLeft: 3 },
      context: { actor, requestId: 'r' },
    });
    expect(() => api.edit({ name: 'Bills' }, later)).toThrow(expect.objectContaining({ code: 'api-being-removed' }));
    expect(api.pullEvents()).toMatchObject([{ type: 'api.removal-started.v1', data: { credentials: 3 } }]);
  });

  it('records no event for an edit that changes nothing', () => {
    const api = Api.create('invoices', 'Invoices', 'All of them.', at);
    api.pullEvents();
    expect(api.edit({ name: 'Invoices', description: undefined }, later)).toBe(false);
    expect(api.state.version).toBe(1);
    expect(api.pullEvents()).toEqual([]);
  });
});
