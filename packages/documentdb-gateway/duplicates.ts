import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Command } from './command.ts';
import { DUPLICATE_KEY, MongoError, TRANSIENT, WRITE_CONFLICT } from './errors.ts';
import { BSON_TYPE } from './postgres.ts';
import type { Database, Row } from './postgres.ts';
import { renderKey, writtenKey } from './written-key.ts';

const COLUMNS = `i.collection_id AS collection, (i.index_spec).index_name AS name, (i.index_spec).index_key AS key
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
 * MongoDB's words for a duplicate key that one document of a command met. The extension names the index only.
 * @param place which of the command's documents it was
 * @param message the extension's
 * @returns `errmsg` and, where they are known, `keyPattern` and `keyValue`
 * @throws MongoError WriteConflict if the command's transaction cannot see the other document
 */
export async function duplicateOf(
  database: Database,
  command: Command,
  place: number,
  message: string,
): Promise<Document> {
  const name = /Index '(.*)'/s.exec(message)?.[1] ?? '';
  // not in the command's transaction, which PostgreSQL has ended
  const [row] = await database.rows({ client: null }, BY_NAME, [command.db, command.target, name]);
  return describe(database, command, { name, row, place });
}

/**
 * As `duplicateOf`, for a statement that failed as a whole: PostgreSQL names its constraint, which holds the index's
 * number (or is the primary key's).
 * @param error what was thrown
 * @returns a MongoError for a duplicate key, else `error`
 */
export async function tellDuplicate(database: Database, command: Command, error: unknown): Promise<unknown> {
  if (!isDuplicate(error)) return error;
  const { constraint, message } = error as { constraint?: string; message: string };
  const said = constraint ?? /constraint "(.*?)"/.exec(message)?.[1] ?? '';
  const id = /^documents_rum_index_(\d+)$/.exec(said)?.[1];
  const known = id === undefined ? [] : await database.rows({ client: null }, BY_ID, [id]).catch(() => []);
  const name = said.startsWith('collection_pk_') ? '_id_' : (known[0]?.['name'] ?? said).toString();
  try {
    const { errmsg, ...detail } = await describe(database, command, { name, row: known[0], place: 0 });
    return new MongoError(DUPLICATE_KEY, 'DuplicateKey', String(errmsg), [], detail);
  } catch (conflict) {
    return conflict;
  }
}

interface Violation {
  readonly name: string;
  readonly row: Row | undefined;
  readonly place: number;
}

async function describe(database: Database, command: Command, { name, row, place }: Violation): Promise<Document> {
  const errmsg = `E11000 duplicate key error collection: ${command.db}.${String(command.target)} index: ${name}`;
  const stored = Buffer.isBuffer(row?.['key']) ? BSON.deserialize(row['key']) : undefined;
  const keyPattern = name === '_id_' ? { _id: 1 } : stored;
  if (keyPattern === undefined) return { errmsg };
  const keyValue = writtenKey(command, place, Object.keys(keyPattern));
  if (keyValue === undefined) return { errmsg, keyPattern };
  if (command.sees !== null) await checkVisible(database, command, keyValue);
  return { errmsg: `${errmsg} dup key: ${renderKey(keyValue)}`, keyPattern, keyValue };
}

const COLLECTION = {
  name: 'collection_id',
  text: `SELECT collection_id FROM documentdb_api_catalog.collections WHERE database_name = $1 AND collection_name = $2`,
};

/**
 * MongoDB answers a duplicate key only for a document that the transaction can see: one that was committed later is a
 * conflict. A document that is not found is the transaction's own.
 */
async function checkVisible(database: Database, { db, target, sees }: Command, keyValue: Document): Promise<void> {
  const [collection] = await database.rows({ client: null }, COLLECTION, [db, target]);
  const id = Number(collection?.['collection_id']);
  const statement = {
    name: `visible_${id}`,
    text: `SELECT pg_visible_in_snapshot(xmin::text::xid8, $2::pg_snapshot)::text AS visible
      FROM documentdb_data.documents_${id} WHERE document OPERATOR(documentdb_api_catalog.@@) $1::${BSON_TYPE} LIMIT 1`,
  };
  const [other] = await database.rows({ client: null }, statement, [BSON.serialize(keyValue), sees]);
  if (other?.['visible'] === 'false') {
    throw new MongoError(WRITE_CONFLICT, 'WriteConflict', 'the key was committed after the snapshot', [TRANSIENT]);
  }
}
