export { deleteAll, findAll, insertAll, updateAll } from './commands.ts';
export { beforeDeadline, withinDeadline, withoutDeadline } from './deadline.ts';
export { IdempotencyKeys } from './idempotency-keys.ts';
export { Instances } from './instances.ts';
export { MongoStore } from './mongo-store.ts';
export { MongoModule } from './mongo.module.ts';
export { SessionPool } from './session-pool.ts';
export { Settings } from './settings.ts';
export { StoreClock } from './store-clock.ts';
export {
  STORE_DEADLINE_MS,
  TransactionConflict,
  asDomainError,
  bounded,
  isDuplicateKey,
  isStoreUnavailable,
  storeUnavailable,
} from './store-errors.ts';
export { STORE_OPTIONS } from './store-options.ts';
export { Transactions } from './transactions.ts';
export type { Update } from './commands.ts';
