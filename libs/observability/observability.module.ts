import { Global, Module } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { LOGGER, createLogger } from './logger.ts';
import { Conditions } from './conditions.ts';
import { Metrics } from './metrics.ts';

@Global()
@Module({
  providers: [
    Conditions,
    Metrics,
    { provide: LOGGER, inject: [CONFIG], useFactory: (config: Config) => createLogger(config.logLevel) },
  ],
  exports: [Conditions, Metrics, LOGGER],
})
export class ObservabilityModule {}
