import { BSON } from 'bson';
import type { Document, Int32 } from 'bson';
import type { Command, Reply } from '../command.ts';
import { DUPLICATE_KEY, MongoError, TRANSIENT, WRITE_CONFLICT, mongoCodeOf } from '../errors.ts';
import { duplicateOf, isDuplicate } from '../duplicates.ts';
import { BSON_TYPE, bsonOf } from '../postgres.ts';
import type { Statement } from '../postgres.ts';
import type { Handler, Services } from '../services.ts';

/** Numbers are decoded as BSON's own classes, so that the reply is encoded as it was. */
interface WriteError extends Document {
  code: Int32 | number;
  errmsg: string;
}

function write(name: 'insert' | 'update' | 'delete'): Handler {
  const statement = {
    name,
    text: `SELECT p_result FROM documentdb_api.${name}($1::text, $2::${BSON_TYPE}, $3::documentdb_core.bsonsequence, NULL)`,
  };
  return (services, command) =>
    writeAndReport(services, command, statement, [command.db, command.body, command.sequence]);
}

async function writeAndReport(
  services: Services,
  command: Command,
  statement: Statement,
  values: unknown[],
): Promise<Reply> {
  const result = bsonOf(await services.database.row(command, statement, values), 'p_result');
  if (!result.includes('writeErrors')) return result; // the common case needs no decoding
  const reply = BSON.deserialize(result, { promoteValues: false });
  const errors = reply['writeErrors'] as WriteError[] | undefined;
  if (!errors) return result;
  for (const error of errors) error.code = mongoCodeOf(Number(error.code));
  if (command.client && errors.some((error) => error.code === WRITE_CONFLICT)) {
    throw new MongoError(WRITE_CONFLICT, 'WriteConflict', errors[0]?.errmsg ?? '', [TRANSIENT]);
  }
  // MongoDB ends a transaction at its first error, and says which document it was
  if (command.session !== null && command.client) await services.transactions.abandon(command.session);
  for (const error of errors) {
    if (error.code === DUPLICATE_KEY) Object.assign(error, await duplicateOf(services.database, command, error.errmsg));
  }
  return BSON.serialize(reply);
}

const FIND_AND_MODIFY = {
  name: 'find_and_modify',
  text: `SELECT p_result FROM documentdb_api.find_and_modify($1::text, $2::${BSON_TYPE}, NULL)`,
};

/** How often an upsert that lost against another one of the same key is done again; then it finds the other's. */
const UPSERT_ATTEMPTS = 5;

async function findAndModify({ database }: Services, command: Command): Promise<Reply> {
  // MongoDB, too, does an upsert again that met a duplicate key, outside of transactions
  const attempts = command.client === null && command.body.includes('upsert') ? UPSERT_ATTEMPTS : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return bsonOf(await database.row(command, FIND_AND_MODIFY, [command.db, command.body]), 'p_result');
    } catch (error) {
      if (attempt === attempts || !isDuplicate(error)) throw error;
    }
  }
}

/** Commands that change documents. */
export const writes: Readonly<Record<string, Handler>> = {
  insert: write('insert'),
  update: write('update'),
  delete: write('delete'),
  findAndModify,
  findandmodify: findAndModify,
};
