// The members of an event and of a checkpoint: docs/event-log-format.md, "An event" and "A checkpoint".
import { isObject } from './json.ts';
import type { Json, JsonObject } from './json.ts';

/** The members that step 3 of the verification checks. */
export interface ChainedEvent {
  readonly chain: string;
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly type: string;
  readonly data: JsonObject;
}

export interface Checkpoint {
  readonly id: string;
  readonly operationId: string | null;
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  readonly keyId: string;
  readonly signature: string;
}

const UNCHAINED_TYPES = new Set(['sign-in.refused.v1']);
const IDENTIFIER = /^[A-Za-z0-9._:-]{1,128}$/;
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const HASH = /^[0-9a-f]{64}$/;

type Check = (value: Json | undefined) => boolean;

export const isIdentifier = (value: Json | undefined): value is string =>
  typeof value === 'string' && IDENTIFIER.test(value);
export const isInstant = (value: Json | undefined): value is string => typeof value === 'string' && INSTANT.test(value);
export const isSeq = (value: Json | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 1;
const isOperationId = (value: Json | undefined): value is string | null =>
  value === null || (isIdentifier(value) && value !== 'platform');
const isString: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isNameOrNull: Check = (value) => value === null || isName(value);
const isHash: Check = (value) => typeof value === 'string' && HASH.test(value);
const isNull: Check = (value) => value === null;

const common = {
  id: isIdentifier,
  operationId: isOperationId,
  type: isName,
  at: isInstant,
  actor: (value) => hasShape(value, { type: isName, id: isName, ip: isNameOrNull }),
  subject: (value) => hasShape(value, { type: isName, id: isName }),
  outcome: isName,
  data: isObject,
  requestId: isNameOrNull,
} satisfies Record<string, Check>;
const CHAINED = { ...common, seq: isSeq, prevHash: isHash, hash: isHash };
const UNCHAINED = { ...common, seq: isNull, prevHash: isNull, hash: isNull };
const CHECKPOINT = {
  id: isIdentifier,
  operationId: isOperationId,
  seq: isSeq,
  hash: isHash,
  at: isInstant,
  keyId: isString,
  signature: isString,
};

/** The name of the chain of an operation's events, or with null of the platform's. */
export function chainName(operationId: string | null): string {
  return operationId ?? 'platform';
}

/** @returns the event's position, `unchained` if it is outside the chains, null if it is not an event */
export function readEvent(value: Json): ChainedEvent | { unchained: string } | null {
  if (!isObject(value)) return null;
  const chain = chainName(value['operationId'] as string | null);
  if (UNCHAINED_TYPES.has(value['type'] as string)) return hasShape(value, UNCHAINED) ? { unchained: chain } : null;
  return hasShape(value, CHAINED) ? { ...(value as unknown as ChainedEvent), chain } : null;
}

/** The chain and seq of a faulty line, if they are readable. */
export function placeOf(value: Json): { chain: string; seq: number } | null {
  if (!isObject(value)) return null;
  const { operationId, seq } = value;
  return isOperationId(operationId) && isSeq(seq) ? { chain: chainName(operationId), seq } : null;
}

/** @returns the checkpoint, or null if it is not one */
export function readCheckpoint(value: Json): Checkpoint | null {
  return hasShape(value, CHECKPOINT) ? (value as unknown as Checkpoint) : null;
}

function hasShape(value: Json | undefined, shape: Record<string, Check>): boolean {
  if (!isObject(value)) return false;
  const names = Object.keys(shape);
  // own members only: an object inherits `constructor` and others
  return (
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name) && shape[name]?.(value[name]) === true)
  );
}
