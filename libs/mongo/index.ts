export { deleteAll, findAll, insertAll, updateAll } from './commands.ts';
export type { Update } from './commands.ts';
export { beforeDeadline, withinDeadline, withoutDeadline } from './deadline.ts';
export { IdempotencyKeys } from './idempotency-keys.ts';
export { Fence } from './fence.ts';
export { CHAIN_HEADS, FenceSource, PLATFORM_SCOPE, StoreFenceSource } from './fence-source.ts';
export { findAfter } from './fenced-find.ts';
export type { FencedState } from './fenced-state.ts';
export { Instances } from './instances.ts';
export type { RightsReading } from './fence-source.ts';
export type { RightsVersion } from './rights.ts';
export { LEASE_CEILING_MS, LeasedReader, leaseRunOut } from './leased-reader.ts';
export { MongoModule } from './mongo.module.ts';
export { MongoStore } from './mongo-store.ts';
export { SessionPool } from './session-pool.ts';
export { Settings } from './settings.ts';
export { StoreClock } from './store-clock.ts';
export { STORE_OPTIONS } from './store-options.ts';
export { Transactions } from './transactions.ts';
export {
  STORE_DEADLINE_MS,
  TransactionConflict,
  asDomainError,
  bounded,
  isDuplicateKey,
  isStoreUnavailable,
  storeUnavailable,
} from './store-errors.ts';
