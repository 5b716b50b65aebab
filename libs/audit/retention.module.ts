import { Module } from '@nestjs/common';
import { AuditModule } from './audit.module.ts';
import { KeyRegistration } from './checkpoints/key-registration.ts';
import { ArchiveEventsHandler } from './commands/archive-events.command.ts';
import { ArchivedEvents } from './retention/archived-events.ts';
import { ChainRetention } from './retention/chain-retention.ts';
import { EventDropper } from './retention/event-dropper.ts';
import { RefusalRetention } from './retention/refusal-retention.ts';

/** The additions of a serving instance to `AuditModule`: it registers its signing key and enforces the retention. */
@Module({
  imports: [AuditModule],
  providers: [ArchiveEventsHandler, ArchivedEvents, ChainRetention, EventDropper, KeyRegistration, RefusalRetention],
})
export class RetentionModule {}
