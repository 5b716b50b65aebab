import { createHash } from 'node:crypto';
import type { ChainHead, ChainName } from '#chain';

/** The last event of a chain that a follower has received. */
export interface FollowedEnd {
  readonly seq: number;
  /** The beginning of its hash: enough to notice that the chain now has another event there. */
  readonly mark: string;
}

/** The last summary of refusals that a follower has received. */
export interface FollowedRefusal {
  readonly minute: Date;
  readonly id: string;
}

/** Up to where a follower has received the log. */
export interface FeedPosition {
  /** By `chainKey`. A chain that is missing was not received yet. */
  readonly ends: ReadonlyMap<string, FollowedEnd>;
  /** `chainKey` of the chain after which the next page continues, so that every chain has its turn. */
  readonly turn: string;
  readonly refusals: FollowedRefusal | undefined;
}

export const START_OF_LOG: FeedPosition = { ends: new Map(), turn: '', refusals: undefined };

/** 48 bits: two of a thousand chains share a key once in half a billion installations. */
const KEY_BYTES = 6;
const MARK_BYTES = 3;
const TIME_BYTES = 6;
const VERSION = 1;

/** The short name of a chain in a position. */
export function chainKey(chain: ChainName): string {
  return createHash('sha256')
    .update(chain)
    .digest('hex')
    .slice(0, 2 * KEY_BYTES);
}

/** The chains that a follower follows. */
export interface FeedScope {
  /** undefined for all */
  readonly chains: readonly ChainName[] | undefined;
  /** Of so many parts of them, the one with this number, from 1. */
  readonly part?: { readonly number: number; readonly of: number } | undefined;
}

export function isFollowed({ chains, part }: FeedScope, chain: ChainName): boolean {
  return chains?.includes(chain) !== false && isInPart(part, chainKey(chain));
}

/** The position without the chains that are not in the scope. */
export function narrowed(position: FeedPosition, { chains, part }: FeedScope): FeedPosition {
  const known = chains === undefined ? undefined : new Set(chains.map(chainKey));
  const ends = [...position.ends].filter(([key]) => known?.has(key) !== false && isInPart(part, key));
  return { ...position, ends: new Map(ends) };
}

function isInPart(part: FeedScope['part'], key: string): boolean {
  return part === undefined || (Number.parseInt(key, 16) % part.of) + 1 === part.number;
}

/** The end of a chain as a position holds it. */
export function followedEnd({ seq, hash }: ChainHead): FollowedEnd {
  return { seq, mark: hash.slice(0, 2 * MARK_BYTES) };
}

/** A position in as few bytes as possible, because a cursor is a part of a URL. */
export function encodePosition({ ends, turn, refusals }: FeedPosition): Buffer {
  const id = Buffer.from(refusals?.id ?? '');
  const head = Buffer.alloc(1 + KEY_BYTES + TIME_BYTES + 1);
  head.writeUInt8(VERSION);
  head.write(turn.padEnd(2 * KEY_BYTES, '0'), 1, 'hex');
  head.writeUIntBE(refusals?.minute.getTime() ?? 0, 1 + KEY_BYTES, TIME_BYTES);
  head.writeUInt8(id.length, head.length - 1);
  const entries = [...ends].map(([key, { seq, mark }]) => Buffer.from(key + mark + varint(seq), 'hex'));
  return Buffer.concat([head, id, ...entries]);
}

/** @returns undefined for bytes of another version */
export function decodePosition(bytes: Buffer): FeedPosition | undefined {
  if (bytes[0] !== VERSION) return undefined;
  const turn = bytes.toString('hex', 1, 1 + KEY_BYTES);
  const minute = bytes.readUIntBE(1 + KEY_BYTES, TIME_BYTES);
  let at = 1 + KEY_BYTES + TIME_BYTES + 1;
  const id = bytes.toString('utf8', at, (at += bytes.readUInt8(at - 1)));
  const ends = new Map<string, FollowedEnd>();
  while (at < bytes.length) {
    const key = bytes.toString('hex', at, (at += KEY_BYTES));
    const mark = bytes.toString('hex', at, (at += MARK_BYTES));
    let seq = 0;
    let byte: number;
    do {
      byte = bytes.readUInt8(at);
      seq = seq * 128 + (byte & 127);
      at += 1;
    } while (byte >= 128);
    ends.set(key, { seq, mark });
  }
  return { ends, turn, refusals: id === '' ? undefined : { minute: new Date(minute), id } };
}

/** Base 128, the highest digit first; all but the last have the top bit. In hexadecimal. */
function varint(value: number): string {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return Buffer.from(digits).toString('hex');
}
