import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import type { Config } from '#config';
import { MaintenanceProcessor } from './maintenance.processor.ts';
import { QueueWorkers } from './queue-workers.ts';
import { Schedules } from './schedules.ts';
import { TokenPurgeProcessor } from './token-purge.processor.ts';

/** The workers. An instance in the role `http` has none. */
@Module({})
export class WorkerModule {
  static for(role: Config['role']): DynamicModule {
    return {
      module: WorkerModule,
      providers: role === 'http' ? [] : [MaintenanceProcessor, QueueWorkers, Schedules, TokenPurgeProcessor],
    };
  }
}
