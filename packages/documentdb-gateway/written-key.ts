import { BSON, EJSON } from 'bson';
import type { Document } from 'bson';
import type { Command } from './command.ts';

/** An operator expression in a filter, such as `{$gt: 1}`: no value that a document would get. */
function isOperators(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).some((key) => key.startsWith('$'));
}

/** The documents of a command, whether they came in its body or as a sequence after it. */
function documentsOf({ name, body, sequence }: Command): Document[] {
  if (sequence === null) {
    const field = name === 'insert' ? 'documents' : 'updates';
    const head = BSON.deserialize(body);
    return (head[field] as Document[] | undefined) ?? [head];
  }
  const documents: Document[] = [];
  for (let at = 0; at < sequence.length; at += sequence.readInt32LE(at)) {
    documents.push(BSON.deserialize(sequence.subarray(at, at + sequence.readInt32LE(at))));
  }
  return documents;
}

/** What an update or findAndModify would leave in the document, as far as the command itself says. */
function afterUpdate(document: Document): Document {
  const filter = (document['q'] ?? document['query'] ?? {}) as Document;
  const update = (document['u'] ?? document['update'] ?? {}) as Document;
  const equalities = Object.entries(filter).filter(([, value]) => !isOperators(value));
  const sources: unknown[] = isOperators(update) ? [update['$setOnInsert'], update['$set']] : [update];
  const written = sources.flatMap((source) => Object.entries(source ?? {}));
  return Object.fromEntries([...equalities, ...written]);
}

function valueAt(document: Document, path: string): unknown {
  if (path in document) return document[path];
  const [first = '', ...rest] = path.split('.');
  const inner: unknown = document[first];
  if (rest.length === 0) return inner;
  return typeof inner === 'object' && inner !== null ? valueAt(inner, rest.join('.')) : undefined;
}

/**
 * The key that a write would have given a document in an index.
 * @param place which of the command's documents
 * @param paths the index's fields
 * @returns undefined where the command does not say
 */
export function writtenKey(command: Command, place: number, paths: readonly string[]): Document | undefined {
  const document = documentsOf(command)[place];
  if (document === undefined) return undefined;
  const written = command.name === 'insert' ? document : afterUpdate(document);
  const values = paths.map((path): [string, unknown] => [path, valueAt(written, path)]);
  return values.every(([, value]) => value !== undefined) ? Object.fromEntries(values) : undefined;
}

/** A key as MongoDB's message renders it: `{ name: "x", seq: 3 }`. */
export function renderKey(key: Document): string {
  const fields = Object.entries(key).map(([path, value]) => `${path}: ${renderValue(value)}`);
  return `{ ${fields.join(', ')} }`;
}

function renderValue(value: unknown): string {
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  return typeof value === 'object' && value !== null ? EJSON.stringify(value) : JSON.stringify(value);
}
