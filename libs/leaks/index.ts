export { LEAK_KINDS } from './domain/leak.ts';
export { LeaksModule } from './leaks.module.ts';
export { ReportLeakCommand } from './commands/report-leak.command.ts';
export type { LeakReport } from './domain/leak.ts';
