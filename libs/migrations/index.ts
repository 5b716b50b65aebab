export { StoreUnreachable, migrateDatabase } from './migrate-database.ts';
export { MigrationError } from './migration.ts';
export type { IndexSpec, Layout, Migration } from './migration.ts';
export { Migrator } from './migrator.ts';
export { RECORDS } from './migration-record.ts';
export { migrations } from './steps.ts';
export { verifyDatabase } from './verify-database.ts';
