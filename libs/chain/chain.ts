import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { SignInRefused } from '#event-types';
import type { Actor, DomainEventData, Subject } from '#kernel';
import { PLATFORM_CHAIN } from './chain-name.ts';
import type { ChainName } from './chain-name.ts';

/** An event before it gets its position in a chain. Times are RFC 3339 UTC with milliseconds. */
export interface EventDraft {
  readonly id: string;
  /** The operation of the chain; null for the platform chain. */
  readonly operationId: string | null;
  readonly type: string;
  readonly at: string;
  readonly actor: Actor;
  readonly subject: Subject;
  readonly outcome: 'success' | 'refused' | 'failed';
  readonly data: DomainEventData;
  readonly requestId: string | null;
}

/** The hashed content: the event without its own hash. */
export interface EventBody extends EventDraft {
  readonly seq: number;
  readonly prevHash: string;
}

/** An event in its chain (docs/event-log-format.md, "An event"). */
export interface LogEvent extends EventBody {
  readonly hash: string;
}

/** An event outside any chain: a summary of refusals, which can be very many. */
export interface UnchainedEvent extends EventDraft {
  readonly seq: null;
  readonly prevHash: null;
  readonly hash: null;
}

/** The end of a chain: seq and hash of its last event; 0 and the genesis hash if it is empty. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}

/** Types outside the chains. All other events belong to a chain. */
const UNCHAINED_TYPES: readonly string[] = [SignInRefused.type];

/** The maximum length of an export line, without its line feed. */
export const MAX_LINE_BYTES = 1_048_576;

const MAX_DATA_LEVELS = 32;
const HASH_MEMBER_BYTES = '"hash":"",'.length + 64;
const ID = /^[A-Za-z0-9._:-]{1,128}$/;
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;

/**
 * `prevHash` of a chain's first event: hex SHA-256 of 0x02 and the chain's name, so that no chain can be presented as
 * another.
 */
export function genesisHash(chain: ChainName): string {
  return hash('sha256', `\u0002${chain}`, 'hex');
}

/** The head of an empty chain. */
export function emptyHead(chain: ChainName): ChainHead {
  return { seq: 0, hash: genesisHash(chain) };
}

/**
 * The event's hash: lower-case hex SHA-256 of 0x00 and the RFC 8785 form of its twelve members other than `hash`.
 * Ignores further members, such as those of a store.
 * @throws TypeError when a member has no canonical form: a fraction, a lone surrogate, undefined, a Date …
 * @throws RangeError when the event's line would be longer than MAX_LINE_BYTES
 */
export function hashEvent(body: EventBody): string {
  const text = canonicalEvent(body, null);
  // UTF-8 has at most three bytes per UTF-16 unit, so most lines need no exact count
  if (text.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(text) + HASH_MEMBER_BYTES > MAX_LINE_BYTES) {
    throw new RangeError(`event ${body.id} is longer than ${MAX_LINE_BYTES} bytes`);
  }
  return hash('sha256', `\0${text}`, 'hex');
}

/** One line of an NDJSON export, without its line feed: the RFC 8785 form of the event with its hash. */
export function eventLine(event: LogEvent | UnchainedEvent): string {
  return canonicalEvent(event, event.hash === null ? 'null' : text(event.hash));
}

/**
 * Appends the drafts to `head`, in order: sets `seq`, `prevHash` and `hash`.
 * @throws TypeError when a draft belongs to another chain than the first, has a type outside the chains, or could not
 * be verified in an export
 */
export function chainEvents(head: ChainHead, drafts: readonly EventDraft[]): LogEvent[] {
  let { seq, hash: prevHash } = head;
  return drafts.map((draft) => {
    checkDraft(draft, drafts[0]?.operationId ?? null);
    seq += 1;
    const body: EventBody = { ...draft, seq, prevHash };
    const event: LogEvent = { ...body, hash: hashEvent(body) };
    prevHash = event.hash;
    return event;
  });
}

function checkDraft(draft: EventDraft, operationId: string | null): void {
  const fault =
    (draft.operationId !== operationId && 'belongs to another chain') ||
    (UNCHAINED_TYPES.includes(draft.type) && 'has a type outside the chains') ||
    (!ID.test(draft.id) && 'has an invalid id') ||
    (draft.operationId !== null && !isOperationId(draft.operationId) && 'has an invalid operationId') ||
    (!INSTANT.test(draft.at) && 'has an invalid time') ||
    ([draft.type, draft.actor.type, draft.actor.id, draft.subject.type, draft.subject.id].includes('') &&
      'has an empty member') ||
    ((draft.requestId === '' || draft.actor.ip === '') && 'has an empty member that must be null');
  if (fault !== false) throw new TypeError(`event ${draft.id} ${fault}`);
}

function isOperationId(value: string): boolean {
  return ID.test(value) && value !== PLATFORM_CHAIN; // the name of the platform chain
}

/**
 * The RFC 8785 form of an event, with the members of the envelope written in canonical order: three times as fast, for
 * every token issue. chain.spec.ts proves it equal to `canonicalize`.
 */
function canonicalEvent(event: EventBody | UnchainedEvent, hashText: string | null): string {
  const { actor, subject } = event;
  return (
    `{"actor":{"id":${text(actor.id)},"ip":${textOrNull(actor.ip)},"type":${text(actor.type)}}` +
    `,"at":${text(event.at)},"data":${canonicalData(event.data)}` +
    (hashText === null ? '' : `,"hash":${hashText}`) +
    `,"id":${text(event.id)},"operationId":${textOrNull(event.operationId)},"outcome":${text(event.outcome)}` +
    `,"prevHash":${textOrNull(event.prevHash)},"requestId":${textOrNull(event.requestId)}` +
    `,"seq":${event.seq === null ? 'null' : integer(event.seq)}` +
    `,"subject":{"id":${text(subject.id)},"type":${text(subject.type)}},"type":${text(event.type)}}`
  );
}

function textOrNull(value: string | null): string {
  return value === null ? 'null' : text(value);
}

// RFC 8785 3.2.2.2 equals ECMAScript's JSON.stringify, except for lone surrogates
function text(value: unknown): string {
  return JSON.stringify(wellFormed(value));
}

function wellFormed(value: unknown): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw new TypeError('not a well-formed string');
  return value;
}

function integer(value: unknown): string {
  if (!Number.isSafeInteger(value)) throw new TypeError('not an integer that JSON carries without loss');
  return String(value);
}

function canonicalData(data: DomainEventData): string {
  if (!isPlainObject(data)) throw new TypeError('data is not a plain object');
  checkValue(data, 1);
  const canonical = canonicalize(data);
  if (canonical === undefined) throw new TypeError('data has no canonical form');
  return canonical;
}

// like JSON.stringify, canonicalize converts a Date and drops undefined; the log accepts only values that survive
function checkValue(value: unknown, level: number): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    wellFormed(value);
  } else if (typeof value === 'number') {
    integer(value);
  } else if (level > MAX_DATA_LEVELS) {
    throw new TypeError(`data is nested more than ${MAX_DATA_LEVELS} levels deep`);
  } else if (Array.isArray(value)) {
    for (const item of value) checkValue(item, level + 1);
  } else if (isPlainObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      wellFormed(name);
      checkValue(member, level + 1);
    }
  } else {
    throw new TypeError(`data contains a value that is not JSON (${typeof value})`);
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // compares no identity, because Jest's modules have their own Object.prototype
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
