import { BSON } from 'bson';
import type { Document, Int32 } from 'bson';
import { isUpsert } from '../command.ts';
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
  for (let attempt = 1; ; attempt++) {
    const result = bsonOf(await services.database.row(command, statement, values), 'p_result');
    if (!result.includes('writeErrors')) return result; // the common case needs no decoding
    const reply = BSON.deserialize(result, { promoteValues: false });
    const errors = reply['writeErrors'] as WriteError[] | undefined;
    if (!errors) return result;
    for (const error of errors) error.code = mongoCodeOf(Number(error.code));
    const again = attempt < ATTEMPTS && Number(reply['n']) === 0 && mayTryAgain(command, errors);
    if (!again) return report(services, command, reply, errors);
  }
}

/** How often a write is done again that lost against another one. */
const ATTEMPTS = 5;

/**
 * True where MongoDB would do a write again by itself, and never tell: outside of transactions, if it met a write
 * conflict or, an upsert, a duplicate key; done again, it finds the other's document.
 */
function mayTryAgain(command: Command, errors: readonly WriteError[]): boolean {
  if (command.client) return false;
  const upsert = isUpsert(command);
  return errors.every(({ code }) => code === WRITE_CONFLICT || (code === DUPLICATE_KEY && upsert));
}

async function report(services: Services, command: Command, reply: Document, errors: WriteError[]): Promise<Reply> {
  if (command.client && errors.some((error) => error.code === WRITE_CONFLICT)) {
    throw new MongoError(WRITE_CONFLICT, 'WriteConflict', errors[0]?.errmsg ?? '', [TRANSIENT]);
  }
  for (const error of errors) {
    if (error.code !== DUPLICATE_KEY) continue;
    Object.assign(error, await duplicateOf(services.database, command, Number(error['index']), error.errmsg));
  }
  // MongoDB ends a transaction at its first error, and says which document it was
  if (command.session !== null && command.client) await services.transactions.abandon(command.session);
  return BSON.serialize(reply);
}

const FIND_AND_MODIFY = {
  name: 'find_and_modify',
  text: `SELECT p_result FROM documentdb_api.find_and_modify($1::text, $2::${BSON_TYPE}, NULL)`,
};

async function findAndModify({ database }: Services, command: Command): Promise<Reply> {
  const attempts = command.client === null && isUpsert(command) ? ATTEMPTS : 1;
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
