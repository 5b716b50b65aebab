export { UsageModule } from './usage.module.ts';
export { UsageReader } from './usage-reader.ts';
export { UsageRecorder } from './usage-recorder.ts';
export type { BucketSize, UsageReport } from './usage-reader.ts';
