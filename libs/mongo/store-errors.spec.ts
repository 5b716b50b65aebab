import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { NOT_NOW_CODES, NOT_NOW_LABELS } from './not-now-codes.ts';
import { asDomainError, bounded, isConnectionLost, isDuplicateKey, isStoreUnavailable } from './store-errors.ts';

const { mongo } = mongoose;
const inBulk = (met: Error): Error => new mongo.MongoBulkWriteError(met, {} as mongoose.mongo.BulkWriteResult);

describe('an error of the store', () => {
  const lost = new mongo.MongoNetworkError('connection 6 closed');

  it.each([
    ['a connection that was lost', lost],
    ['a connection that was lost in a bulk write', inBulk(lost)],
    [
      'a socket that the other side has ended',
      Object.assign(new Error('This socket has been ended'), { code: 'EPIPE' }),
    ],
  ])('%s is reported as unavailable, and may be retried', (_what, error) => {
    expect(isConnectionLost(error)).toBe(true);
    expect(isStoreUnavailable(error)).toBe(true);
    expect(asDomainError(error)).toMatchObject({ code: 'store-unavailable' });
  });

  it('is reported as unavailable if no server is found for a bulk write', () => {
    expect(isStoreUnavailable(inBulk(new mongo.MongoServerSelectionError('timed out', {} as never)))).toBe(true);
  });

  it('is passed on unchanged if it is an answer to a bulk write', () => {
    const answer = new mongo.MongoServerError({ message: 'E11000 index: name', code: 11000 });
    const error = inBulk(answer);
    expect(isDuplicateKey(error, 'name')).toBe(true);
    expect(isStoreUnavailable(error)).toBe(false);
    expect(isConnectionLost(error)).toBe(false);
    expect(asDomainError(error)).toBe(error);
  });

  it.each([...NOT_NOW_CODES])('is reported as unavailable for code %i', (code) => {
    const answer = new mongo.MongoServerError({ message: 'not now', code });
    expect(isStoreUnavailable(answer)).toBe(true);
    expect(isStoreUnavailable(inBulk(answer))).toBe(true);
    expect(asDomainError(answer)).toMatchObject({ code: 'store-unavailable', retryAfterSeconds: 2 });
  });

  it.each([...NOT_NOW_LABELS])('is reported as unavailable if an unknown code has the label %s', (label) => {
    const answer = new mongo.MongoServerError({ message: 'not now', code: 999_999, errorLabels: [label] });
    expect(isStoreUnavailable(answer)).toBe(true);
  });

  it('is not retried if the request itself is wrong', () => {
    for (const code of [2, 9, 13, 14, 20, 121, 11_000])
      expect(isStoreUnavailable(new mongo.MongoServerError({ message: 'wrong', code }))).toBe(false);
  });

  it('says that a write may have been made if only its acknowledgement is missing', () => {
    const reply = { ok: 1, writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } };
    const error = asDomainError(new mongo.MongoWriteConcernError(reply));
    expect(error).toMatchObject({ code: 'store-unavailable', message: expect.stringContaining('did not confirm') });
  });

  it('takes the index of a duplicate key from the index name, not from a value in the message', () => {
    const message =
      'E11000 duplicate key error collection: l.users index: user_name dup key: { key: "credential_name" }';
    const error = new mongo.MongoServerError({ message, code: 11000 });
    expect(isDuplicateKey(error, 'user_name')).toBe(true);
    expect(isDuplicateKey(error, 'credential_name')).toBe(false);
  });

  it('is reported as unavailable if the store steps down, also for a bulk write', () => {
    const answer = new mongo.MongoServerError({ message: 'not primary', code: 10107, codeName: 'NotWritablePrimary' });
    expect(isStoreUnavailable(answer)).toBe(true);
    expect(isStoreUnavailable(inBulk(answer))).toBe(true);
  });
});

describe('bounded', () => {
  it('runs an aggregation once, although mongoose starts it again with each `then` and `catch`', async () => {
    let runs = 0;
    const run = (): Promise<number> => Promise.resolve((runs += 1));
    const aggregation = { then: (...given: never[]) => run().then(...given), catch: () => run() };
    expect(await bounded(aggregation as unknown as Promise<number>)).toBe(1);
    expect(runs).toBe(1);
  });
});
