export { ArchiveEventsCommand } from './archive-events.command.ts';
export { RetentionModule } from './retention.module.ts';
