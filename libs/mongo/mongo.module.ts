import { Global, Module } from '@nestjs/common';
import { Clock } from '#kernel';
import { IdempotencyKeys } from './idempotency-keys.ts';
import { MongoStore } from './mongo-store.ts';
import { Settings } from './settings.ts';
import { StoreClock } from './store-clock.ts';
import { Transactions } from './transactions.ts';

@Global()
@Module({
  providers: [
    IdempotencyKeys,
    MongoStore,
    Settings,
    StoreClock,
    Transactions,
    { provide: Clock, useExisting: StoreClock },
  ],
  exports: [IdempotencyKeys, MongoStore, Settings, StoreClock, Transactions, Clock],
})
export class MongoModule {}
