import { BSON } from 'bson';
import type { Document } from 'bson';

// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const HEADER_BYTES = 16;
/** The largest message MongoDB takes, as `hello` announces it. */
export const MAX_MESSAGE_BYTES = 48_000_000;

/** One request, as far as the wire protocol tells. */
export interface Message {
  readonly requestId: number;
  readonly kind: 'command' | 'handshake';
  /** the command document */
  readonly body: Buffer;
  /** the documents of a kind 1 section, one after another, or null */
  readonly sequence: Buffer | null;
  /** the field that the sequence stands for, or null */
  readonly sequenceName: string | null;
  /** the client wants no answer (`w: 0`) */
  readonly unanswered: boolean;
  /** the client reads more answers than one, if the server sends them */
  readonly exhaustAllowed: boolean;
}

/** What does not keep to the wire protocol; the connection has to be closed. */
export class ProtocolError extends Error {}

/**
 * Reads one message.
 * @param message a whole message, header included
 * @returns its parts, which share memory with `message`
 * @throws ProtocolError on an opcode or a layout that MongoDB's drivers do not send
 */
export function readMessage(message: Buffer): Message {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return readOpMsg(message, requestId);
  if (opCode !== OP_QUERY) throw new ProtocolError(`opcode ${opCode}`);
  // drivers send OP_QUERY for their first handshake only: flags, collection name, skip, limit, document
  const start = message.indexOf(0, HEADER_BYTES + 4) + 9;
  const body = message.subarray(start, start + message.readInt32LE(start));
  return {
    requestId,
    kind: 'handshake',
    body,
    sequence: null,
    sequenceName: null,
    unanswered: false,
    exhaustAllowed: false,
  };
}

function readOpMsg(message: Buffer, requestId: number): Message {
  const flags = message.readUInt32LE(HEADER_BYTES);
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Buffer | null = null;
  let sequence: Buffer | null = null;
  let sequenceName: string | null = null;
  for (let at = HEADER_BYTES + 4; at < end;) {
    const kind = message[at++];
    const size = message.readInt32LE(at);
    if (size < 5 || at + size > end) throw new ProtocolError('a section overruns its message');
    if (kind === 0) body = message.subarray(at, at + size);
    else {
      const nameEnd = message.indexOf(0, at + 4);
      sequenceName = message.toString('utf8', at + 4, nameEnd);
      sequence = message.subarray(nameEnd + 1, at + size);
    }
    at += size;
  }
  if (!body) throw new ProtocolError('no command document');
  return {
    requestId,
    kind: 'command',
    body,
    sequence,
    sequenceName,
    unanswered: (flags & MORE_TO_COME) !== 0,
    exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0,
  };
}

/**
 * Writes an answer.
 * @param request what is answered
 * @param reply a document, or one already in BSON
 * @param moreToCome further answers to the same request follow
 * @returns the whole message
 */
export function writeReply(request: Message, reply: Document | Uint8Array, moreToCome = false): Buffer {
  const body = reply instanceof Uint8Array ? reply : BSON.serialize(reply);
  const old = request.kind === 'handshake';
  const head = Buffer.alloc(old ? 36 : 21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(request.requestId, 8);
  head.writeInt32LE(old ? OP_REPLY : OP_MSG, 12);
  if (moreToCome) head.writeInt32LE(MORE_TO_COME, HEADER_BYTES);
  if (old) {
    head.writeInt32LE(8, 16); // AwaitCapable, as every server since 2.x says
    head.writeInt32LE(1, 32); // one document
  }
  return Buffer.concat([head, body]);
}

/** Cuts a byte stream into messages. */
export class Framer {
  #chunks: Buffer[] = [];
  #have = 0;

  /**
   * @param chunk the next bytes of the stream
   * @returns the messages that are complete now, in order
   * @throws ProtocolError on an impossible length
   */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#have += chunk.length;
    const whole: Buffer[] = [];
    for (let need = this.#need(); need !== null && this.#have >= need; need = this.#need()) {
      const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? chunk) : Buffer.concat(this.#chunks);
      whole.push(all.subarray(0, need));
      this.#chunks = all.length > need ? [all.subarray(need)] : [];
      this.#have -= need;
    }
    return whole;
  }

  /** How long the first message is, or null while that is not known. */
  #need(): number | null {
    if (this.#have < 4) return null;
    let first = this.#chunks[0];
    if (!first || first.length < 4) {
      first = Buffer.concat(this.#chunks);
      this.#chunks = [first];
    }
    const length = first.readInt32LE(0);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) throw new ProtocolError(`a message of ${length} bytes`);
    return length;
  }
}
