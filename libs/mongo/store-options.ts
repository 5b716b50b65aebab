import type { ConnectOptions } from 'mongoose';

/**
 * The fixed options of every connection to the store. `loadConfig` rejects a URI with other values. Strict Stable API
 * V1 prevents commands that another release of MongoDB may change or lack.
 */
export const STORE_OPTIONS = {
  directConnection: false,
  readPreference: 'primary',
  readConcernLevel: 'majority',
  writeConcern: { w: 'majority', journal: true },
  retryWrites: true,
  retryReads: true,
  serverMonitoringMode: 'stream',
  serverApi: { version: '1', strict: true },
} as const satisfies ConnectOptions;
