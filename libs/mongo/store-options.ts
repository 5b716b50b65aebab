import type { ConnectOptions } from 'mongoose';

/**
 * What every connection to the store is set to, whatever its URI says: `loadConfig` refuses a URI that says otherwise.
 * Strict Stable API V1 keeps the service from commands that another release of MongoDB may change or lack.
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
