import type { mongo } from 'mongoose';
import { keyText } from './index-key.ts';
import { RECORDS } from './migration-record.ts';
import type { MigrationRecord } from './migration-record.ts';
import type { IndexSpec, Layout, Migration } from './migration.ts';
import { recordedNumbers } from './migrator.ts';

/** The database does not have the layout that this version needs, so the instance must not serve. */
export class DatabaseNotMigrated extends Error {
  override readonly name = 'DatabaseNotMigrated';

  constructor(readonly faults: readonly string[]) {
    super(`the database does not have the layout that this version needs: ${faults.join('; ')}`);
  }
}

/** An index as `listIndexes` describes it. */
type ExistingIndex = mongo.IndexDescriptionInfo;

/**
 * Checks that all migrations have run, that collections and indexes exist as expected, and that there is no unexpected
 * TTL index: one on `events` would erase the log without any privilege to remove events.
 *
 * @param expected the collections and indexes that the code relies on
 * @throws DatabaseNotMigrated naming every fault and what to do
 */
export async function verifyDatabase(db: mongo.Db, expected: Layout, migrations: readonly Migration[]): Promise<void> {
  const existing = await db.listCollections({}, { nameOnly: true }).toArray();
  const names = new Set(existing.map(({ name }) => name));
  const missing = await missingMigrations(db, names, migrations);
  // do not also list the collections and indexes that these migrations create
  if (missing.length > 0)
    throw new DatabaseNotMigrated([`migration ${missing.join(', ')} has not run: run latchkey migrate`]);
  const faults = await Promise.all(
    Object.entries(expected).map(async ([name, indexes]) =>
      names.has(name)
        ? indexFaults(name, indexes, await db.collection(name).indexes())
        : [`collection ${name} is missing: restore it from a backup`],
    ),
  );
  if (faults.flat().length > 0) throw new DatabaseNotMigrated(faults.flat());
}

async function missingMigrations(
  db: mongo.Db,
  names: ReadonlySet<string>,
  migrations: readonly Migration[],
): Promise<number[]> {
  const numbers = migrations.map(({ number }) => number);
  if (!names.has(RECORDS)) return numbers;
  const done = await recordedNumbers(db.collection<MigrationRecord>(RECORDS));
  return numbers.filter((number) => !done.has(number));
}

function indexFaults(collection: string, expected: readonly IndexSpec[], existing: readonly ExistingIndex[]): string[] {
  const byKey = new Map(existing.map((index) => [keyText(index.key), index]));
  const faults = expected.flatMap((index) => {
    const text = keyText(index.key);
    const found = byKey.get(text);
    if (found === undefined) return [`index ${text} of ${collection} is missing: create it again`];
    const differs =
      traits(found) === traits(index)
        ? []
        : [`index ${text} of ${collection} is ${traits(found)}, not ${traits(index)}`];
    return differs;
  });
  const expiring = new Set(expected.filter(isExpiring).map(({ key }) => keyText(key)));
  const strays = existing.filter((index) => isExpiring(index) && !expiring.has(keyText(index.key)));
  return [
    ...faults,
    ...strays.map(({ name }) => `TTL index ${name ?? ''} of ${collection} deletes documents: drop it immediately`),
  ];
}

function isExpiring(index: { readonly expireAfterSeconds?: number }): boolean {
  return index.expireAfterSeconds !== undefined;
}

/** The properties of an index that the code relies on, as text. */
function traits(index: ExistingIndex | IndexSpec): string {
  const partial = 'partialFilterExpression' in index || ('sparse' in index && index.sparse === true);
  return [
    index.unique === true ? 'unique' : 'not unique',
    ...(index.expireAfterSeconds === undefined ? [] : [`expiring after ${index.expireAfterSeconds} s`]),
    ...(partial ? ['partial'] : []),
  ].join(', ');
}
