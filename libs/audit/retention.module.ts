import { Module } from '@nestjs/common';
import { AuditModule } from './audit.module.ts';
import { KeyRegistration } from './checkpoints/key-registration.ts';
import { ArchiveEventsHandler, Retentions } from './commands/archive-events.command.ts';
import { ChainRetention, RetentionStore } from './retention/chain-retention.ts';
import { EventDropper } from './retention/event-dropper.ts';
import { RefusalRetention } from './retention/refusal-retention.ts';

/** The additions of a serving instance to `AuditModule`: it registers its signing key and enforces the retention. */
@Module({
  imports: [AuditModule],
  providers: [
    ArchiveEventsHandler,
    ChainRetention,
    EventDropper,
    KeyRegistration,
    RefusalRetention,
    RetentionStore,
    Retentions,
  ],
})
export class RetentionModule {}
