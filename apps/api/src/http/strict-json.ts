import { isUtf8 } from 'node:buffer';
import { jsonSyntaxFault } from './json-syntax.ts';

/** A fault in a JSON document, with an RFC 6901 pointer to the member ('' is the document). */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';

  constructor(
    readonly pointer: string,
    readonly publicMessage: string,
  ) {
    super(publicMessage);
  }
}

const MAX_DEPTH = 32;
/** 40,000 different members take 50 ms, also of a caller who is nobody; no valid document has more than 2,000. */
const MAX_COMMAS = 5_000;
/** A longer pointer is cut back to a parent, so that no answer repeats megabytes of the caller. */
const MAX_POINTER_LENGTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const MINUS = 0x2d;

/** An open array or object. */
interface Frame {
  /** The keys seen so far; undefined for an array. */
  readonly keys: Set<string> | undefined;
  /** The member being read: an index, a key, or undefined where the next string is a key. */
  at: number | string | undefined;
}

function pointerOf(frames: readonly Frame[]): string {
  let pointer = '';
  for (const { at } of frames) {
    if (at === undefined) break;
    const longer = `${pointer}/${String(at).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (longer.length > MAX_POINTER_LENGTH) break;
    pointer = longer;
  }
  return pointer;
}

/** Checks depth and size before anything is built, so that too large a document costs no stack and no memory. */
function checkExtent(body: Buffer): void {
  let depth = 0;
  let commas = 0;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new StrictJsonError('', `The document must be nested at most ${MAX_DEPTH} levels deep.`);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    else if (byte === COMMA) {
      commas += 1;
      if (commas > MAX_COMMAS) throw new StrictJsonError('', 'The document has too many members.');
    }
  }
}

/** Index of the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    at += code === BACKSLASH ? 2 : 1;
  }
}

function isNumberCode(code: number): boolean {
  // digits, + - . e E: the characters of a JSON number
  return (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e || (code | 0x20) === 0x65;
}

/** Checks valid JSON for faults that JSON.parse ignores. */
class Inspector {
  private readonly frames: Frame[] = [];

  constructor(private readonly text: string) {}

  run(): void {
    for (let at = 0; at < this.text.length;) at = this.step(at);
  }

  /** Reads one token. Returns the index of the next. */
  private step(at: number): number {
    const code = this.text.charCodeAt(at);
    switch (code) {
      case QUOTE:
        return this.string(at);
      case OPEN_OBJECT:
        this.frames.push({ keys: new Set(), at: undefined });
        return at + 1;
      case OPEN_ARRAY:
        this.frames.push({ keys: undefined, at: 0 });
        return at + 1;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        this.frames.pop();
        return at + 1;
      case COMMA:
        this.nextMember();
        return at + 1;
      default:
        // skip white space, colons and the letters of true, false and null
        return code === MINUS || (code >= 0x30 && code <= 0x39) ? this.number(at) : at + 1;
    }
  }

  private nextMember(): void {
    const frame = this.frames.at(-1);
    if (frame !== undefined) frame.at = typeof frame.at === 'number' ? frame.at + 1 : undefined;
  }

  private string(start: number): number {
    const end = endOfString(this.text, start);
    const raw = this.text.slice(start + 1, end);
    const value = raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw;
    if (!value.isWellFormed()) this.fail('A string contains half a surrogate pair. Send valid Unicode.');
    const frame = this.frames.at(-1);
    if (frame?.keys !== undefined && frame.at === undefined) {
      frame.at = value;
      if (frame.keys.has(value)) this.fail('The member occurs twice. Send it once.');
      frame.keys.add(value);
    }
    return end + 1;
  }

  private number(start: number): number {
    let end = start + 1;
    while (isNumberCode(this.text.charCodeAt(end))) end += 1;
    if (!Number.isFinite(Number(this.text.slice(start, end)))) this.fail('The number is too large.');
    return end;
  }

  private fail(message: string): never {
    throw new StrictJsonError(pointerOf(this.frames), message);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // do not use the engine's message: it quotes the document
    const place = jsonSyntaxFault(text);
    const where = place === undefined ? '' : `; see line ${place.line}, column ${place.column}`;
    throw new StrictJsonError('', `The body is not a JSON document${where}.`);
  }
}

/**
 * Reads JSON (RFC 8259) in linear time, and rejects whatever readers interpret differently (RFC 7493, I-JSON). A member
 * named `__proto__` is an own member like any other.
 * @throws StrictJsonError on bad UTF-8, a byte order mark, syntax, a repeated member, a number beyond the range of a
 * double, half a surrogate pair, nesting deeper than 32, or more than 5,000 commas
 */
export function parseStrictJson(body: Buffer): unknown {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    throw new StrictJsonError('', 'The body must not begin with a byte order mark.');
  }
  if (!isUtf8(body)) throw new StrictJsonError('', 'The body is not valid UTF-8.');
  checkExtent(body);
  const text = body.toString('utf8');
  const value = parse(text);
  new Inspector(text).run();
  return value;
}
