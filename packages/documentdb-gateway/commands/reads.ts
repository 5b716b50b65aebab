import { BSON } from 'bson';
import type { Document } from 'bson';
import type { Command, Reply } from '../command.ts';
import { MongoError } from '../errors.ts';
import { BSON_TYPE, bsonOf } from '../postgres.ts';
import type { Handler, Services } from '../services.ts';

/** A command that answers a cursor's first page. */
function firstPage(name: string): Handler {
  const statement = {
    name: `first_${name}`,
    text: `SELECT cursorPage, continuation, persistConnection, cursorId FROM documentdb_api.${name}_cursor_first_page($1::text, $2::${BSON_TYPE})`,
  };
  return async ({ database, cursors }, command) => {
    const row = await database.row(command, statement, [command.db, command.body]);
    if (Buffer.isBuffer(row['continuation'])) {
      cursors.open(String(row['cursorid']), command, row['continuation']);
    }
    return bsonOf(row, 'cursorpage');
  };
}

const MORE = {
  name: 'get_more',
  text: `SELECT cursorPage, continuation FROM documentdb_api.cursor_get_more($1::text, $2::${BSON_TYPE}, $3::${BSON_TYPE})`,
};

async function getMore({ database, cursors }: Services, command: Command): Promise<Reply> {
  const id = String(command.target);
  const cursor = cursors.use(id, command.connection);
  if (!cursor) throw new MongoError(43, 'CursorNotFound', `cursor id ${id} not found`);
  const row = await database.row(command, MORE, [cursor.db, command.body, cursor.continuation]);
  if (Buffer.isBuffer(row['continuation'])) cursor.continuation = row['continuation'];
  else cursors.finish(id);
  return bsonOf(row, 'cursorpage');
}

async function killCursors({ cursors }: Services, command: Command): Promise<Reply> {
  const ids = BSON.deserialize(command.body, { useBigInt64: true })['cursors'] as (bigint | number)[];
  const killed = new Set(await cursors.close(ids.map(String)));
  return {
    cursorsKilled: ids.filter((id) => killed.has(String(id))),
    cursorsNotFound: ids.filter((id) => !killed.has(String(id))),
    cursorsAlive: [],
    cursorsUnknown: [],
    ok: 1,
  };
}

/** A command that answers one document. */
function oneDocument(name: string): Handler {
  const statement = { name, text: `SELECT document FROM documentdb_api.${name}($1::text, $2::${BSON_TYPE})` };
  return async ({ database }, command) => {
    const row = await database.row(command, statement, [command.db, command.body]);
    return bsonOf(row, 'document');
  };
}

/** Which of the extension's functions plans a command. */
const PLANNED: Readonly<Record<string, string>> = {
  find: 'find',
  aggregate: 'pipeline',
  count: 'count',
  distinct: 'distinct',
};

async function explain({ database }: Services, command: Command): Promise<Reply> {
  const inner = BSON.deserialize(command.body, { promoteValues: false })['explain'] as Document;
  const name = Object.keys(inner)[0] ?? '';
  const { set } = command.connection.endpoint.view;
  if (set.persona === 'mongos') {
    const winningPlan = set.sharding.plan(`${command.db}.${String(inner[name])}`);
    return { queryPlanner: { mongosPlannerVersion: 1, winningPlan }, ok: 1 };
  }
  const planned = PLANNED[name];
  if (planned === undefined) throw new MongoError(115, 'CommandNotSupported', `explain ${name}`);
  const text = `EXPLAIN (FORMAT JSON, VERBOSE) SELECT document FROM documentdb_api_catalog.bson_aggregation_${planned}($1::text, $2::${BSON_TYPE})`;
  const row = await database.row(command, { name: `explain_${planned}`, text }, [command.db, BSON.serialize(inner)]);
  const plan: unknown = JSON.parse(String(row['QUERY PLAN']));
  return { queryPlanner: { plan }, ok: 1 };
}

/** Commands that change nothing. */
export const reads: Readonly<Record<string, Handler>> = {
  find: firstPage('find'),
  aggregate: firstPage('aggregate'),
  listCollections: firstPage('list_collections'),
  listIndexes: firstPage('list_indexes'),
  getMore,
  killCursors,
  count: oneDocument('count_query'),
  distinct: oneDocument('distinct_query'),
  explain,
};
