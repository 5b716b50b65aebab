import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Command } from './command.ts';
import { DUPLICATE_KEY, MongoError } from './errors.ts';
import type { Database, Row } from './postgres.ts';

const COLUMNS = `(i.index_spec).index_name AS name, (i.index_spec).index_key AS key
  FROM documentdb_api_catalog.collection_indexes i JOIN documentdb_api_catalog.collections c USING (collection_id)`;
const BY_NAME = {
  name: 'index_by_name',
  text: `SELECT ${COLUMNS} WHERE c.database_name = $1 AND c.collection_name = $2 AND (i.index_spec).index_name = $3`,
};
const BY_ID = { name: 'index_by_id', text: `SELECT ${COLUMNS} WHERE i.index_id = $1` };

/** SQLSTATEs of a unique index that would be violated: PostgreSQL's two, and the extension's. */
const DUPLICATES = new Set(['23505', '23P01', 'M001C']);

/** True for an error of PostgreSQL's that a unique index would be violated. */
export function isDuplicate(error: unknown): boolean {
  return DUPLICATES.has(String((error as { code?: unknown }).code));
}

/**
 * MongoDB's words for a duplicate key, with the index's key. The extension tells the index's name only.
 * @param message the extension's
 * @returns `errmsg` and, where it is known, `keyPattern`
 */
export async function duplicateOf(database: Database, command: Command, message: string): Promise<Document> {
  const name = /Index '(.*)'/s.exec(message)?.[1] ?? '';
  // not in the command's transaction, which is over
  const [row] = await database.rows({ client: null }, BY_NAME, [command.db, command.target, name]);
  return describe(command, name, row);
}

/**
 * As `duplicateOf`, for a statement that failed as a whole: PostgreSQL names its constraint, which holds the index's
 * number (or is the primary key's).
 * @param error whatever was thrown
 * @returns a MongoError for a duplicate key, else `error`
 */
export async function tellDuplicate(database: Database, command: Command, error: unknown): Promise<unknown> {
  if (!isDuplicate(error)) return error;
  const { constraint, message } = error as { constraint?: string; message: string };
  const said = constraint ?? /constraint "(.*?)"/.exec(message)?.[1] ?? '';
  const id = /^documents_rum_index_(\d+)$/.exec(said)?.[1];
  const known = id === undefined ? [] : await database.rows({ client: null }, BY_ID, [id]).catch(() => []);
  const name = said.startsWith('collection_pk_') ? '_id_' : (known[0]?.['name'] ?? said).toString();
  const { errmsg, ...detail } = describe(command, name, known[0]);
  return new MongoError(DUPLICATE_KEY, 'DuplicateKey', String(errmsg), [], detail);
}

function describe(command: Command, index: string, row: Row | undefined): Document {
  const errmsg = `E11000 duplicate key error collection: ${command.db}.${String(command.target)} index: ${index}`;
  if (index === '_id_') return { errmsg, keyPattern: { _id: 1 } };
  return Buffer.isBuffer(row?.['key']) ? { errmsg, keyPattern: BSON.deserialize(row['key']) } : { errmsg };
}
