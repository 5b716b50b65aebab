import { Global, Module } from '@nestjs/common';
import { Clock } from '#kernel';
import { IdempotencyKeys } from './idempotency-keys.ts';
import { Instances } from './instances.ts';
import { MongoStore } from './mongo-store.ts';
import { SessionPool } from './session-pool.ts';
import { Settings } from './settings.ts';
import { StoreClock } from './store-clock.ts';
import { Transactions } from './transactions.ts';

@Global()
@Module({
  providers: [
    IdempotencyKeys,
    Instances,
    MongoStore,
    SessionPool,
    Settings,
    StoreClock,
    Transactions,
    { provide: Clock, useExisting: StoreClock },
  ],
  exports: [IdempotencyKeys, MongoStore, SessionPool, Settings, StoreClock, Transactions, Clock],
})
export class MongoModule {}
