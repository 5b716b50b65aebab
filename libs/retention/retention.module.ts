import { Module } from '@nestjs/common';
import { AuditModule, KeyRegistration } from '#audit';
import { ArchiveEventsHandler } from './archive-events.command.ts';
import { ArchivedEvents } from './archived-events.ts';
import { ChainRetention } from './chain-retention.ts';
import { EventDropper } from './event-dropper.ts';
import { RefusalRetention } from './refusal-retention.ts';

/** The additions of a serving instance to `AuditModule`: it registers its signing key and enforces the retention. */
@Module({
  imports: [AuditModule],
  providers: [ArchiveEventsHandler, ArchivedEvents, ChainRetention, EventDropper, KeyRegistration, RefusalRetention],
})
export class RetentionModule {}
