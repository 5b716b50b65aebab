import type { NoCredentials } from './authorization-header.ts';
import { authorizationOf } from './authorization-header.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const CONTROL = /\p{Cc}/u;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Well-formed Basic, but with a character that no id or secret has, such as the final line break of a file. */
export type Unprintable = 'unprintable';

/**
 * Decodes strict base64. Node's decoder is lenient, so the result is encoded again and compared: this checks alphabet,
 * padding and unused bits (RFC 4648 3.2, 3.3, 3.5).
 */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** RFC 6749 2.3.1 and appendix B: each part is form-encoded. Decoded once. */
function decodePart(part: string): string {
  if (!part.includes('%')) return part.replaceAll('+', ' ');
  const spaced = part.replaceAll('+', ' ');
  return spaced.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/**
 * Reads client id and secret from HTTP Basic as OAuth 2.0 clients send them (RFC 7617, RFC 6749 2.3.1): split at the
 * first colon, each part form-decoded once, visible ASCII, not empty.
 * @param rawHeaders Node's `req.rawHeaders`
 * @param headerName another header, if a gateway signs in while `Authorization` belongs to its caller
 */
export function parseBasicAuthorization(
  rawHeaders: readonly string[],
  headerName = 'authorization',
): { id: string; secret: string } | NoCredentials | Unprintable {
  const found = authorizationOf(rawHeaders, 'basic', headerName);
  if (typeof found === 'string') return found;
  const pair = decodeBase64(found.parameters)?.toString('latin1');
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon < 1 || colon === pair.length - 1 || BAD_ESCAPE.test(pair)) return 'malformed';
  const id = decodePart(pair.slice(0, colon));
  const secret = decodePart(pair.slice(colon + 1));
  return VISIBLE_ASCII.test(id) && VISIBLE_ASCII.test(secret) ? { id, secret } : 'unprintable';
}

/**
 * Reads a person's name and password from HTTP Basic (RFC 7617 with charset="UTF-8"): split at the first colon, not
 * form-decoded, any text without control characters, not empty.
 * @param rawHeaders Node's `req.rawHeaders`
 */
export function parseUserAuthorization(
  rawHeaders: readonly string[],
): { username: string; password: string } | NoCredentials | Unprintable {
  const found = authorizationOf(rawHeaders, 'basic', 'authorization');
  if (typeof found === 'string') return found;
  const bytes = decodeBase64(found.parameters);
  if (bytes === undefined) return 'malformed';
  const pair = bytes.toString('utf8');
  const colon = pair.indexOf(':');
  // invalid UTF-8 does not survive the round trip
  if (colon < 1 || colon === pair.length - 1 || !Buffer.from(pair, 'utf8').equals(bytes)) return 'malformed';
  if (CONTROL.test(pair)) return 'unprintable';
  return { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}
