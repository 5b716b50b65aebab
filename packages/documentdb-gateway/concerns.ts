import type { BSON, Document } from 'bson';
import type { Command } from './command.ts';
import { MongoError } from './errors.ts';
import { fromTimestamp } from './topology/cluster-clock.ts';
import type { ClusterTime } from './topology/cluster-clock.ts';

export type ReadLevel = 'local' | 'available' | 'majority' | 'linearizable' | 'snapshot';

/** What a read asks for. */
export interface ReadConcern {
  readonly level: ReadLevel;
  readonly afterClusterTime: ClusterTime | null;
}

/** What a write waits for. */
export interface WriteConcern {
  readonly majority: boolean;
  /** 0 waits without a limit */
  readonly timeoutMs: number;
}

const LEVELS: readonly string[] = ['local', 'available', 'majority', 'linearizable', 'snapshot'];
const TRANSACTION_LEVELS: readonly string[] = ['local', 'majority', 'snapshot'];
const READ_CONCERN_FIELDS = new Set(['level', 'afterClusterTime', 'atClusterTime', 'afterOpTime', 'provenance']);
const WRITE_CONCERN_FIELDS = new Set(['w', 'j', 'fsync', 'wtimeout', 'provenance']);

/** Commands that take a read concern outside of transactions, and whether that may be a snapshot's. */
const READS: ReadonlyMap<string, { readonly snapshot: boolean }> = new Map([
  ['find', { snapshot: true }],
  ['aggregate', { snapshot: true }],
  ['distinct', { snapshot: true }],
  ['count', { snapshot: false }],
]);
const FINISHING: readonly string[] = ['commitTransaction', 'abortTransaction'];

/**
 * The read concern of a command, validated as mongod does.
 * @throws MongoError 9, 14, 40415 or 72
 */
export function readConcernOf(command: Command): ReadConcern {
  const { readConcern: given } = command.options;
  if (given === undefined) return { level: 'local', afterClusterTime: null };
  checkFields('readConcern', given, READ_CONCERN_FIELDS);
  const level = (given['level'] ?? 'local') as string;
  if (typeof level !== 'string') throw wrongType('readConcern.level', 'string');
  if (!LEVELS.includes(level)) {
    throw new MongoError(9, 'FailedToParse', `readConcern.level must be one of ${LEVELS.join(', ')}`);
  }
  const after = given['afterClusterTime'] as unknown;
  if (after !== undefined && !isTimestamp(after)) throw wrongType('readConcern.afterClusterTime', 'timestamp');
  checkPlace(command, level);
  checkCombination(given, level);
  return { level: level as ReadLevel, afterClusterTime: after === undefined ? null : fromTimestamp(after) };
}

function checkPlace({ name, inTransaction, startTransaction }: Command, level: string): void {
  if (inTransaction) {
    if (!startTransaction) throw invalid('Only the first command in a transaction may specify a readConcern');
    if (TRANSACTION_LEVELS.includes(level)) return;
    throw invalid(`The readConcern level must be one of ${TRANSACTION_LEVELS.join(', ')} to run in a transaction`);
  }
  const read = READS.get(name);
  if (!read) {
    // mongod accepts the weakest level everywhere
    if (level !== 'local') throw invalid(`Command ${name} does not support read concern level ${level}`);
  } else if (level === 'snapshot' && !read.snapshot) throw invalid(`Command ${name} does not support a snapshot`);
}

function checkCombination(given: Document, level: string): void {
  if (given['afterClusterTime'] !== undefined && !TRANSACTION_LEVELS.includes(level)) {
    throw invalid(`afterClusterTime can be set only if level is one of ${TRANSACTION_LEVELS.join(', ')}`);
  }
  if (given['atClusterTime'] === undefined) return;
  if (level !== 'snapshot') throw invalid('atClusterTime can be set only if level is snapshot');
  throw new MongoError(115, 'CommandNotSupported', 'the stand-in cannot read at a cluster time');
}

/**
 * The write concern of a command, validated as mongod does. Without one a majority is waited for, as since MongoDB 5.0.
 * @throws MongoError 9, 14, 40415, 72 or 79
 */
export function writeConcernOf(command: Command): WriteConcern {
  const { writeConcern: given } = command.options;
  if (given === undefined) return { majority: true, timeoutMs: 0 };
  if (command.inTransaction && !FINISHING.includes(command.name)) {
    throw invalid('writeConcern is not allowed within a multi-statement transaction');
  }
  if (READS.has(command.name)) throw invalid(`Command ${command.name} does not support writeConcern`);
  checkFields('writeConcern', given, WRITE_CONCERN_FIELDS);
  const w = (given['w'] ?? 'majority') as unknown;
  const timeoutMs = Number(given['wtimeout'] ?? 0);
  if (typeof w === 'string') {
    if (w === 'majority') return { majority: true, timeoutMs };
    throw new MongoError(79, 'UnknownReplWriteConcern', `No write concern mode named '${w}' found`);
  }
  if (typeof w !== 'number') throw new MongoError(9, 'FailedToParse', 'w has to be a number, string, or object');
  if (w < 0 || w > 50) throw new MongoError(9, 'FailedToParse', 'w has to be a non-negative number up to 50');
  return { majority: w > 1, timeoutMs };
}

function checkFields(what: string, given: Document, known: ReadonlySet<string>): void {
  for (const field of Object.keys(given)) {
    if (known.has(field)) continue;
    throw new MongoError(40415, 'IDLUnknownField', `BSON field '${what}.${field}' is an unknown field.`);
  }
}

function isTimestamp(value: unknown): value is BSON.Timestamp {
  return (value as { _bsontype?: string } | null)?._bsontype === 'Timestamp';
}

function wrongType(field: string, expected: string): MongoError {
  return new MongoError(14, 'TypeMismatch', `BSON field '${field}' is the wrong type, expected type '${expected}'`);
}

function invalid(message: string): MongoError {
  return new MongoError(72, 'InvalidOptions', message);
}
