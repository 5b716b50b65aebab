import { describe, expect, it } from '@jest/globals';
import { MongoError, mongoCodeOf, packSqlState, toErrorReply } from './errors.ts';

const fault = (code: string, message = 'why'): Error => Object.assign(new Error(message), { code });
const TRANSIENT = ['TransientTransactionError'];

describe('the driver’s error for an error of PostgreSQL', () => {
  it.each([
    ['a serialization failure', fault('40001'), 112, TRANSIENT],
    ['a deadlock', fault('40P01'), 112, TRANSIENT],
    ['a lock that was not had in time', fault('55P03'), 112, TRANSIENT],
    ['the same, had just then', fault('57014', 'canceling statement due to user request'), 112, TRANSIENT],
    ['two that made one collection', fault('M0001', 'Unable to create the specified collection'), 112, TRANSIENT],
    ['a time limit', fault('57014', 'canceling statement due to statement timeout'), 50, undefined],
    ['a connection that was ended', fault('57P01'), 11600, TRANSIENT],
    ['a connection that broke', fault('ECONNRESET'), 11600, TRANSIENT],
    ['a transaction that was idle for too long', fault('25P03'), 251, TRANSIENT],
    ['one of MongoDB’s own', fault('M0009'), 27, undefined],
    ['anything else', fault('XX000'), 1, undefined],
    ['no error at all', 'a text', 1, undefined],
  ])('in a transaction: %s', (_case, error, code, errorLabels) => {
    expect(toErrorReply(error, true)).toMatchObject({ ok: 0, code });
    expect(toErrorReply(error, true)['errorLabels']).toEqual(errorLabels);
  });

  it('outside of a transaction: a write is retried only if the first certainly had no effect', () => {
    expect(toErrorReply(fault('57P01'), false)['errorLabels']).toEqual(['RetryableWriteError']);
    expect(toErrorReply(fault('ECONNREFUSED'), false)['errorLabels']).toEqual(['RetryableWriteError']);
    expect(toErrorReply(fault('ECONNRESET'), false)).not.toHaveProperty('errorLabels');
    expect(toErrorReply(fault('40001'), false)).not.toHaveProperty('errorLabels');
  });

  it('is passed on unchanged if it is the gateway’s own', () => {
    const error = new MongoError(59, 'CommandNotFound', 'no such command', [], { more: 1 });
    const reply = { ok: 0, errmsg: 'no such command', code: 59, codeName: 'CommandNotFound', more: 1 };
    expect(toErrorReply(error, false)).toEqual(reply);
  });

  it('has the codes of errors for single documents', () => {
    expect(packSqlState('M001C')).toBe(319029277); // as the extension answers a duplicate key
    expect(mongoCodeOf(319029277)).toBe(11000);
    expect(mongoCodeOf(7)).toBe(7);
  });
});
