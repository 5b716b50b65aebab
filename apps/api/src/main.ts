import 'reflect-metadata';
import { ConfigError, loadConfig } from '#config';
import { serve } from './serve.ts';

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

/** What the service is built for and tested on (package.json, "engines"). */
const NODE_MAJOR = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  console.error(
    `Latchkey needs Node ${NODE_MAJOR}; this is ${process.versions.node}. Start it by npm (npm run start:prod): it brings its own.`,
  );
  process.exit(1);
}

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
