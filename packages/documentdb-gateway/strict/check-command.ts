import { BSON } from 'bson';
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Message } from '../wire.ts';
import { COMMAND_FIELDS, ELEMENT_FIELDS, STABLE_API, UNSTABLE } from './command-fields.ts';

const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
/** mongod allows a command's own fields on top of a full document. */
const MAX_COMMAND_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;

/** A command's fields, in order, with the numbers of their BSON types. */
type Fields = ReadonlyMap<string, number>;

/**
 * Refuses a command that mongod would not parse: unknown, missing and mistyped fields, what strict Stable API excludes,
 * what is too large.
 * @throws MongoError 14, 72, 322, 323, 10334, 40414 or 40415
 */
export function checkCommand(message: Message): void {
  if (message.body.length > MAX_COMMAND_BYTES) throw tooLarge(message.body.length);
  const fields = fieldsOf(message.body);
  const [name] = fields.keys();
  if (name === undefined) return; // readCommand refuses it
  checkApi(name, fields, message);
  const rules = COMMAND_FIELDS.get(name);
  if (!rules) return;
  for (const [field, type] of fields) {
    if (field === name) continue;
    const types = rules.fields.get(field);
    if (!types) throw unknownField(`${name}.${field}`);
    if (types.length > 0 && !types.includes(type)) throw wrongType(`${name}.${field}`);
  }
  const given = message.sequenceName;
  for (const field of rules.required) {
    if (!fields.has(field) && field !== given) throw missingField(`${name}.${field}`);
  }
  checkElements(name, message);
}

function fieldsOf(document: Buffer): Fields {
  const fields = new Map<string, number>();
  for (const [type, nameOffset, nameLength] of BSON.onDemand.parseToElements(document)) {
    fields.set(document.toString('utf8', nameOffset, nameOffset + nameLength), type);
  }
  return fields;
}

function checkApi(name: string, fields: Fields, message: Message): void {
  if (!fields.has('apiVersion')) {
    if (!fields.has('apiStrict') && !fields.has('apiDeprecationErrors')) return;
    throw new MongoError(72, 'InvalidOptions', 'Provided apiStrict or apiDeprecationErrors without apiVersion');
  }
  const command = BSON.deserialize(message.body);
  if (command['apiVersion'] !== '1') throw new MongoError(322, 'APIVersionError', 'API version must be "1"');
  if (command['apiStrict'] !== true) return;
  if (!STABLE_API.has(name)) throw notStable(`the command ${name}`);
  for (const stage of (command['pipeline'] ?? []) as Document[]) {
    const [operator] = Object.keys(stage);
    if (operator !== undefined && UNSTABLE.stages.has(operator)) throw notStable(`stage ${operator}`);
  }
  for (const index of (command['indexes'] ?? []) as Document[]) {
    const option = UNSTABLE.indexOptions.find((each) => index[each] !== undefined);
    if (option !== undefined) throw notStable(`the index option ${option}`);
    if (Object.values((index['key'] ?? {}) as Document).includes('text')) throw notStable('a text index');
  }
}

function checkElements(command: string, message: Message): void {
  for (const [field, { known, required }] of ELEMENT_FIELDS) {
    for (const element of elementsOf(field, message)) {
      const names = [...fieldsOf(element).keys()];
      const unknown = names.find((name) => !known.has(name));
      if (unknown !== undefined) throw unknownField(`${command}.${field}.${unknown}`);
      const missing = required.find((name) => !names.includes(name));
      if (missing !== undefined) throw missingField(`${command}.${field}.${missing}`);
    }
  }
  for (const document of elementsOf('documents', message)) {
    if (document.length > MAX_DOCUMENT_BYTES) throw tooLarge(document.length);
  }
}

/** The documents of an array, in the command itself or behind it. */
function* elementsOf(field: string, { body, sequence, sequenceName }: Message): Generator<Buffer> {
  if (sequence && sequenceName === field) {
    for (let at = 0; at < sequence.length; at += sequence.readInt32LE(at)) {
      yield sequence.subarray(at, at + sequence.readInt32LE(at));
    }
  }
  const array = element(body, field);
  if (!array) return;
  for (const [type, , , offset, length] of BSON.onDemand.parseToElements(array)) {
    if (type === 3) yield array.subarray(offset, offset + length);
  }
}

function element(document: Buffer, field: string): Buffer | null {
  for (const [type, nameOffset, nameLength, offset, length] of BSON.onDemand.parseToElements(document)) {
    const isField = document.toString('utf8', nameOffset, nameOffset + nameLength) === field;
    if (isField && type === 4) return document.subarray(offset, offset + length);
  }
  return null;
}

function unknownField(path: string): MongoError {
  return new MongoError(40415, 'IDLUnknownField', `BSON field '${path}' is an unknown field.`);
}

function missingField(path: string): MongoError {
  return new MongoError(40414, 'IDLFailedToParse', `BSON field '${path}' is missing but a required field`);
}

function wrongType(path: string): MongoError {
  return new MongoError(14, 'TypeMismatch', `BSON field '${path}' is the wrong type`);
}

function notStable(what: string): MongoError {
  return new MongoError(323, 'APIStrictError', `Provided apiStrict:true, but ${what} is not in API Version 1`);
}

function tooLarge(bytes: number): MongoError {
  const message = `BSONObj size: ${bytes} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`;
  return new MongoError(10334, 'BSONObjectTooLarge', message);
}
