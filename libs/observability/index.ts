export { Conditions } from './conditions.ts';
export { LOGGER, NestLogger, createLogger } from './logger.ts';
export type { Logger } from './logger.ts';
export { Metrics } from './metrics.ts';
export { ObservabilityModule } from './observability.module.ts';
export { RepeatedNotice } from './repeated-notice.ts';
