import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { asDomainError, isConnectionLost, isDuplicateKey, isStoreUnavailable } from './store-errors.ts';

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
  ])('%s is told as unavailable, and may be tried again', (_what, error) => {
    expect(isConnectionLost(error)).toBe(true);
    expect(isStoreUnavailable(error)).toBe(true);
    expect(asDomainError(error)).toMatchObject({ code: 'store-unavailable' });
  });

  it('no server to be found for a bulk write is told as unavailable', () => {
    expect(isStoreUnavailable(inBulk(new mongo.MongoServerSelectionError('timed out', {} as never)))).toBe(true);
  });

  it('an answer to a bulk write stays what it is', () => {
    const answer = new mongo.MongoServerError({ message: 'E11000 index: name', code: 11000 });
    const error = inBulk(answer);
    expect(isDuplicateKey(error, 'name')).toBe(true);
    expect(isStoreUnavailable(error)).toBe(false);
    expect(isConnectionLost(error)).toBe(false);
    expect(asDomainError(error)).toBe(error);
  });

  it('an answer that the store steps down is told as unavailable, also to a bulk write', () => {
    const answer = new mongo.MongoServerError({ message: 'not primary', code: 10107, codeName: 'NotWritablePrimary' });
    expect(isStoreUnavailable(answer)).toBe(true);
    expect(isStoreUnavailable(inBulk(answer))).toBe(true);
  });
});
