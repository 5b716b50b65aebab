import { BSON } from 'bson';
import type { Command, Reply } from '../command.ts';
import { MongoError } from '../errors.ts';
import { BSON_TYPE, bsonOf } from '../postgres.ts';
import type { Handler, Services } from '../services.ts';

/** A command whose SQL function answers the reply. */
function call(name: string, sql: string, values: (command: Command) => unknown[]): Handler {
  const statement = { name, text: `SELECT ${sql} AS reply` };
  return async ({ database }, command) => bsonOf(await database.row(command, statement, values(command)), 'reply');
}

const dbAndBody = (command: Command): unknown[] => [command.db, command.body];

async function drop({ database }: Services, command: Command): Promise<Reply> {
  const statement = { name: 'drop', text: 'SELECT documentdb_api.drop_collection($1::text, $2::text) AS dropped' };
  const row = await database.row(command, statement, [command.db, command.target]);
  return row['dropped'] === 't' ? { ns: `${command.db}.${String(command.target)}`, ok: 1 } : { ok: 1 };
}

async function dropDatabase({ database }: Services, command: Command): Promise<Reply> {
  const statement = { name: 'drop_database', text: 'SELECT documentdb_api.drop_database($1::text)' };
  await database.rows(command, statement, [command.db]);
  return { dropped: command.db, ok: 1 };
}

// Built at once, in the statement itself. The extension's own `createIndexes` queues them for a job that looks every
// two seconds; it is made for large collections that must stay writable meanwhile.
const CREATE_INDEXES = {
  name: 'create_indexes',
  text: `SELECT documentdb_api_internal.create_indexes_non_concurrently($1::text, $2::${BSON_TYPE}, true) AS reply`,
};

async function createIndexes({ database }: Services, command: Command): Promise<Reply> {
  const { sharding } = command.connection.endpoint.view.set;
  const indexes = (BSON.deserialize(command.body)['indexes'] ?? []) as BSON.Document[];
  for (const index of indexes) sharding.checkIndex(`${command.db}.${String(command.target)}`, index);
  const row = await database.row(command, CREATE_INDEXES, dbAndBody(command));
  const reply = BSON.deserialize(bsonOf(row, 'reply'));
  const shards = Object.values((reply['raw'] ?? {}) as Record<string, Record<string, unknown>>);
  const result = shards[0] ?? reply;
  if (typeof result['errmsg'] === 'string') {
    throw new MongoError(Number(result['code'] ?? 67), 'CannotCreateIndex', result['errmsg']);
  }
  return { ...result, ok: 1 };
}

async function dropIndexes({ database }: Services, command: Command): Promise<Reply> {
  const statement = { name: 'drop_indexes', text: `CALL documentdb_api.drop_indexes($1::text, $2::${BSON_TYPE})` };
  const row = await database.row(command, statement, dbAndBody(command));
  return bsonOf(row, 'retval');
}

/** Commands about databases, collections and indexes. */
export const schema: Readonly<Record<string, Handler>> = {
  create: call('create', `documentdb_api.create_collection_view($1::text, $2::${BSON_TYPE})`, dbAndBody),
  collMod: call('coll_mod', `documentdb_api.coll_mod($1::text, $2::text, $3::${BSON_TYPE})`, (command) => [
    command.db,
    command.target,
    command.body,
  ]),
  drop,
  dropDatabase,
  renameCollection: call('rename_collection', `documentdb_api.rename_collection($1::${BSON_TYPE})`, (c) => [c.body]),
  createIndexes,
  dropIndexes,
  listDatabases: call('list_databases', `documentdb_api.list_databases($1::${BSON_TYPE})`, (c) => [c.body]),
  collStats: call('coll_stats', 'documentdb_api.coll_stats($1::text, $2::text, 1)', (c) => [c.db, c.target]),
  dbStats: call('db_stats', 'documentdb_api.db_stats($1::text, 1, false)', (c) => [c.db]),
  validate: call('validate', `documentdb_api.validate($1::text, $2::${BSON_TYPE})`, dbAndBody),
};
