export { CONFIG } from './config.token.ts';
export { ConfigError, MAX_SESSION_HOURS, loadConfig } from './config.ts';
export type { Config } from './config.ts';
export type { RedisConfig } from './redis-config.ts';
export { loadMigrationConfig } from './migration-config.ts';
