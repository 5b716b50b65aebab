import 'reflect-metadata';
import { ConfigError, loadConfig } from '#config';
import { serve } from './serve.ts';

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

try {
  await serve(loadConfig(process.env));
} catch (error) {
  if (error instanceof ConfigError) {
    console.error(
      ['Latchkey cannot start with this configuration:', ...error.faults.map((fault) => `  - ${fault}`)].join('\n'),
    );
    process.exit(EXIT_CONFIG);
  }
  console.error(error instanceof Error ? error.message : 'Latchkey cannot start.');
  process.exit(1);
}
