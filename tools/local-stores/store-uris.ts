import { join } from 'node:path';
import { withDatabase } from './index.ts';
import type { LocalStores } from './index.ts';

/** Where `npm start` notes the URI of the service's database while it runs, for this user alone. */
export function runningUriFile(dataFolder: string): string {
  return join(dataFolder, 'mongodb-uri');
}

/** One database, as each of its users signs in to it. */
export interface StoreUris {
  readonly service: string;
  readonly migration: string;
  readonly retention: string;
  readonly administrator: string;
}

/** The URIs of a database. Where the store was named by MONGODB_URI, all are that one. */
export function storeUris(
  { mongodbUri, passwords }: Pick<LocalStores, 'mongodbUri' | 'passwords'>,
  database: string,
): StoreUris {
  const administrator = withDatabase(mongodbUri, database);
  if (passwords === null) {
    return { service: administrator, migration: administrator, retention: administrator, administrator };
  }
  const as = (user: string, password: string): string => {
    const uri = new URL(administrator);
    uri.username = user;
    uri.password = password;
    uri.searchParams.delete('authSource');
    return uri.href;
  };
  return {
    service: as('latchkey', passwords['mongodb-password']),
    migration: as('latchkeyMigration', passwords['mongodb-migration-password']),
    retention: as('latchkeyRetention', passwords['mongodb-retention-password']),
    administrator,
  };
}
