/** The BSON types that a field may have, by the numbers of their type bytes. */
const STRING = [2];
const DOCUMENT = [3];
const ARRAY = [4];
const BOOLEAN = [8];
const NUMBER = [1, 16, 18, 19];
const FLAG = [...BOOLEAN, ...NUMBER];
const ANY: readonly number[] = [];

/** What a command may hold, as in the server's IDL (`strict: true`). */
export interface CommandFields {
  readonly fields: ReadonlyMap<string, readonly number[]>;
  readonly required: readonly string[];
}

/** Fields that every command may have. */
const GENERIC: Readonly<Record<string, readonly number[]>> = {
  $db: STRING,
  lsid: DOCUMENT,
  txnNumber: [18],
  startTransaction: BOOLEAN,
  autocommit: BOOLEAN,
  $clusterTime: DOCUMENT,
  $readPreference: DOCUMENT,
  readConcern: DOCUMENT,
  writeConcern: DOCUMENT,
  maxTimeMS: NUMBER,
  comment: ANY,
  apiVersion: STRING,
  apiStrict: BOOLEAN,
  apiDeprecationErrors: BOOLEAN,
};

function command(own: Readonly<Record<string, readonly number[]>>, ...required: string[]): CommandFields {
  return { fields: new Map(Object.entries({ ...GENERIC, ...own })), required };
}

const CURSOR = { cursor: DOCUMENT };
const VALIDATION = { bypassDocumentValidation: FLAG };
const FINISH = { recoveryToken: DOCUMENT };
const FIND_AND_MODIFY = command({
  query: DOCUMENT,
  sort: DOCUMENT,
  remove: FLAG,
  update: [...DOCUMENT, ...ARRAY],
  new: FLAG,
  fields: DOCUMENT,
  upsert: FLAG,
  ...VALIDATION,
  collation: DOCUMENT,
  arrayFilters: ARRAY,
  hint: [...STRING, ...DOCUMENT],
  let: DOCUMENT,
});

/** The commands whose fields are checked. A field named like its command is the command's target. */
export const COMMAND_FIELDS: ReadonlyMap<string, CommandFields> = new Map(
  Object.entries({
    find: command({
      filter: DOCUMENT,
      sort: DOCUMENT,
      projection: DOCUMENT,
      hint: [...STRING, ...DOCUMENT],
      skip: NUMBER,
      limit: NUMBER,
      batchSize: NUMBER,
      singleBatch: FLAG,
      max: DOCUMENT,
      min: DOCUMENT,
      returnKey: FLAG,
      showRecordId: FLAG,
      tailable: FLAG,
      awaitData: FLAG,
      allowPartialResults: FLAG,
      noCursorTimeout: FLAG,
      collation: DOCUMENT,
      allowDiskUse: FLAG,
      let: DOCUMENT,
    }),
    aggregate: command(
      {
        pipeline: ARRAY,
        explain: FLAG,
        allowDiskUse: FLAG,
        ...CURSOR,
        ...VALIDATION,
        collation: DOCUMENT,
        hint: [...STRING, ...DOCUMENT],
        let: DOCUMENT,
      },
      'pipeline',
      'cursor',
    ),
    count: command({
      query: DOCUMENT,
      limit: NUMBER,
      skip: NUMBER,
      hint: [...STRING, ...DOCUMENT],
      collation: DOCUMENT,
      fields: DOCUMENT,
    }),
    distinct: command({ key: STRING, query: DOCUMENT, collation: DOCUMENT, hint: [...STRING, ...DOCUMENT] }, 'key'),
    getMore: command({ collection: STRING, batchSize: NUMBER }, 'collection'),
    killCursors: command({ cursors: ARRAY }, 'cursors'),
    insert: command({ documents: ARRAY, ordered: FLAG, ...VALIDATION }, 'documents'),
    update: command({ updates: ARRAY, ordered: FLAG, let: DOCUMENT, ...VALIDATION }, 'updates'),
    delete: command({ deletes: ARRAY, ordered: FLAG, let: DOCUMENT }, 'deletes'),
    findAndModify: FIND_AND_MODIFY,
    findandmodify: FIND_AND_MODIFY,
    createIndexes: command({ v: NUMBER, indexes: ARRAY, commitQuorum: [...STRING, ...NUMBER] }, 'indexes'),
    dropIndexes: command({ index: ANY }, 'index'),
    drop: command({}),
    dropDatabase: command({}),
    listCollections: command({ filter: DOCUMENT, nameOnly: FLAG, authorizedCollections: FLAG, ...CURSOR }),
    listIndexes: command({ ...CURSOR }),
    commitTransaction: command(FINISH),
    abortTransaction: command(FINISH),
    endSessions: command({}),
    killSessions: command({}),
    ping: command({}),
    explain: command({ verbosity: STRING }),
  }),
);

/** The fields of the documents in a command's array: one statement of an update, one index. */
export const ELEMENT_FIELDS: ReadonlyMap<string, { readonly known: ReadonlySet<string>; readonly required: string[] }> =
  new Map(
    Object.entries({
      updates: {
        known: new Set(['q', 'u', 'c', 'upsert', 'multi', 'collation', 'arrayFilters', 'hint', 'sort']),
        required: ['q', 'u'],
      },
      deletes: { known: new Set(['q', 'limit', 'collation', 'hint']), required: ['q', 'limit'] },
      indexes: {
        known: new Set([
          'v',
          'key',
          'name',
          'ns',
          'background',
          'unique',
          'hidden',
          'partialFilterExpression',
          'sparse',
          'expireAfterSeconds',
          'storageEngine',
          'weights',
          'default_language',
          'language_override',
          'textIndexVersion',
          '2dsphereIndexVersion',
          'bits',
          'min',
          'max',
          'collation',
          'wildcardProjection',
          'clustered',
          'prepareUnique',
        ]),
        required: ['key', 'name'],
      },
    }),
  );

/** The commands of Stable API version 1, with those that sign in (`api_version: "1"` in mongod's sasl.idl). */
export const STABLE_API: ReadonlySet<string> = new Set([
  'abortTransaction',
  'aggregate',
  'bulkWrite',
  'collMod',
  'commitTransaction',
  'count',
  'create',
  'createIndexes',
  'delete',
  'drop',
  'dropDatabase',
  'dropIndexes',
  'endSessions',
  'explain',
  'find',
  'findAndModify',
  'getMore',
  'hello',
  'insert',
  'killCursors',
  'listCollections',
  'listDatabases',
  'listIndexes',
  'ping',
  'refreshSessions',
  'saslContinue',
  'saslStart',
  'update',
]);

/** Stages and index options that Stable API version 1 does not have. */
export const UNSTABLE = {
  stages: new Set(['$currentOp', '$indexStats', '$listSessions', '$listLocalSessions', '$planCacheStats', '$search']),
  indexOptions: ['background', 'sparse', 'storageEngine', 'bucketSize', 'prepareUnique'],
} as const;
