import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { EventsModule } from '#events';
import { ChainRepair } from './chain-repair.ts';

/** Repairs chains whose head and events differ. `serve` does not need it. */
@Module({
  imports: [AuditModule, EventsModule],
  providers: [ChainRepair],
  exports: [ChainRepair],
})
export class RepairModule {}
