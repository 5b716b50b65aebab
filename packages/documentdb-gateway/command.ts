import { BSON } from 'bson';
import type { Document } from 'bson';
import type { PoolClient } from 'pg';
import type { Connection } from './connection.ts';
import type { Message } from './wire.ts';
import { MongoError } from './errors.ts';

/** A command with what the gateway itself needs of it; the rest stays BSON and goes to the extension as it came. */
export interface Command {
  readonly name: string;
  readonly db: string;
  /** the value of the first element: a collection's name, a cursor's id, … */
  readonly target: unknown;
  /** the command document without the elements that are the gateway's own business */
  readonly body: Buffer;
  readonly sequence: Buffer | null;
  /** the driver's session, or null */
  readonly session: string | null;
  readonly txnNumber: bigint | null;
  readonly inTransaction: boolean;
  readonly startTransaction: boolean;
  /** sessions, concerns and API version, as the client sent them */
  readonly options: CommandOptions;
  readonly connection: Connection;
  /** the PostgreSQL snapshot that a transaction of a frozen member begins at; null for the present state */
  readonly snapshot: string | null;
  /** the transaction's own PostgreSQL connection, or null outside of one */
  readonly client: PoolClient | null;
  /** what a strict transaction sees, as PostgreSQL writes it */
  readonly sees: string | null;
}

/** Generic arguments that the gateway itself acts on. */
export interface CommandOptions {
  readonly readConcern: Document | undefined;
  readonly writeConcern: Document | undefined;
  readonly readPreference: string;
  readonly clusterTime: BSON.Timestamp | undefined;
  /** 0 is no limit */
  readonly maxTimeMs: number;
}

/** What a command answers: a document, or one that is BSON already. */
export type Reply = Document | Uint8Array;

/** Generic arguments, which the extension does not get. */
const OWN = new Set([
  '$db',
  'lsid',
  '$clusterTime',
  'txnNumber',
  'startTransaction',
  'autocommit',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
]);
const READ_HERE = new Set([...OWN, 'maxTimeMS']);

/**
 * Reads a command's document without decoding more of it than needed.
 * @param message the request
 * @param connection where it came from
 * @returns the command, not yet given a transaction's client
 * @throws MongoError FailedToParse if it is no BSON document, or names no command
 */
export function readCommand(message: Message, connection: Connection): Command {
  const { head, body } = split(message.body);
  const [name, target] = Object.entries(head)[0] ?? [];
  if (name === undefined) throw new MongoError(9, 'FailedToParse', 'an empty command');
  const lsid = (head['lsid'] as { id?: { buffer: Uint8Array } } | undefined)?.id;
  const txnNumber = head['txnNumber'] as bigint | undefined;
  return {
    name,
    target,
    db: typeof head['$db'] === 'string' ? head['$db'] : 'admin',
    body,
    sequence: message.sequence,
    session: lsid ? Buffer.from(lsid.buffer).toString('hex') : null,
    txnNumber: txnNumber ?? null,
    inTransaction: head['autocommit'] === false,
    startTransaction: head['startTransaction'] === true,
    options: optionsOf(head),
    connection,
    snapshot: null,
    client: null,
    sees: null,
  };
}

function optionsOf(head: Document): CommandOptions {
  const clusterTime = head['$clusterTime'] as { clusterTime?: BSON.Timestamp } | undefined;
  const readPreference = head['$readPreference'] as { mode?: string } | undefined;
  return {
    readConcern: head['readConcern'] as Document | undefined,
    writeConcern: head['writeConcern'] as Document | undefined,
    readPreference: readPreference?.mode ?? 'primary',
    clusterTime: clusterTime?.clusterTime,
    maxTimeMs: Number(head['maxTimeMS'] ?? 0),
  };
}

/** Splits off, byte by byte and without decoding, what the gateway reads itself and what the extension gets. */
function split(document: Buffer): { head: Document; body: Buffer } {
  const own: Buffer[] = [];
  const rest: Buffer[] = [];
  let first = true;
  for (const [, nameOffset, nameLength, offset, length] of BSON.onDemand.parseToElements(document)) {
    const name = document.toString('utf8', nameOffset, nameOffset + nameLength);
    const bytes = document.subarray(nameOffset - 1, offset + length); // with its type byte
    if (first || READ_HERE.has(name)) own.push(bytes);
    if (!OWN.has(name)) rest.push(bytes);
    first = false;
  }
  return { head: BSON.deserialize(assemble(own), { useBigInt64: true }), body: assemble(rest) };
}

function assemble(elements: Buffer[]): Buffer {
  const size = Buffer.alloc(4);
  const document = Buffer.concat([size, ...elements, Buffer.alloc(1)]);
  document.writeInt32LE(document.length, 0);
  return document;
}

/** Whether an update may insert; true as well where a value only looks like it. */
export function isUpsert({ body, sequence }: Command): boolean {
  return body.includes('upsert') || sequence?.includes('upsert') === true;
}
