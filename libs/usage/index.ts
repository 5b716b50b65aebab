export { OTHER_ADDRESSES, UNKNOWN_ADDRESS } from './domain/usage-book.ts';
export { UsageModule } from './usage.module.ts';
export { UsageReader } from './usage-reader.ts';
export { UsageRecorder } from './usage-recorder.ts';
export type { UsageSummary } from './domain/usage-summary.ts';
export type { BucketSize, UsageReport } from './usage-reader.ts';
export type { LastUses } from './persistence/last-use.repository.ts';
export type { HourRefusals } from './persistence/usage.repository.ts';
