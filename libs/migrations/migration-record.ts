/** The collection that records which migrations have run. The service's user may only read it. */
export const RECORDS = 'migrations';

/** A document of this collection: a completed migration by its number, or the lease of the migrating process. */
export type MigrationRecord =
  | { readonly _id: number; readonly name: string; readonly at: Date }
  | { readonly _id: 'lease'; readonly holder: string; readonly expiresAt: Date };
