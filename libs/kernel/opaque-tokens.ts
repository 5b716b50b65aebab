import { hash, randomFillSync, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * Client ids, access tokens and secrets: a prefix that names the kind, 256 random bits, and a checksum. The checksum
 * detects typing errors and scanners' false alarms without a query; it is not a protection.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = ALPHABET.length;
const CLIENT_ID_PREFIX = 'lk_ci_';
const ACCESS_TOKEN_PREFIX = 'lk_at_';
const SECRET_PREFIXES = {
  client: 'lk_cs_',
  'resource-server': 'lk_rs_',
  session: 'lk_ss_',
  'api-key': 'lk_ak_',
} as const;
const PREFIX_LENGTH = 6;
const HANDLE_LENGTH = 24;
/** 62^43 > 2^256. */
const RANDOM_LENGTH = 43;
/** 62^6 > 2^32. */
const CHECKSUM_LENGTH = 6;
const CLIENT_ID_LENGTH = PREFIX_LENGTH + HANDLE_LENGTH;
const SECRET_LENGTH = PREFIX_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;
const ACCESS_TOKEN_LENGTH = PREFIX_LENGTH + HANDLE_LENGTH + RANDOM_LENGTH + CHECKSUM_LENGTH;
const BASE62 = /^[0-9A-Za-z]+$/;

/** The kind of object that owns a secret. */
export type SecretKind = keyof typeof SECRET_PREFIXES;

// one system call for many tokens: a call per token would cost more than the rest of the work
const pool = Buffer.alloc(8192);
let poolAt = pool.length;

/** `length` base62 characters, each equally likely. */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    if (poolAt === pool.length) {
      randomFillSync(pool);
      poolAt = 0;
    }
    const sixBits = (pool[poolAt] ?? 0) & 0x3f;
    // do not keep bytes of a secret in memory
    pool[poolAt] = 0;
    poolAt += 1;
    // reject 62 and 63: modulo would make the first characters more likely
    if (sixBits < BASE) text += ALPHABET.charAt(sixBits);
  }
  return text;
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (let at = 0; at < CHECKSUM_LENGTH; at += 1) {
    checksum = ALPHABET.charAt(rest % BASE) + checksum;
    rest = Math.floor(rest / BASE);
  }
  return checksum;
}

function withChecksum(text: string): string {
  return text + checksumOf(text);
}

/** Whether the text has this prefix and length, base62 after the prefix, and a correct checksum. */
function isWellFormed(text: string, prefix: string, length: number): boolean {
  if (text.length !== length || !text.startsWith(prefix) || !BASE62.test(text.slice(PREFIX_LENGTH))) return false;
  return text.slice(-CHECKSUM_LENGTH) === checksumOf(text.slice(0, -CHECKSUM_LENGTH));
}

/** A new client id: `lk_ci_` and 24 random base62 characters (142 bits). */
export function newClientId(): string {
  return CLIENT_ID_PREFIX + randomBase62(HANDLE_LENGTH);
}

/** Whether the text has the form of a client id. Does not check that the client exists. */
export function isWellFormedClientId(text: string): boolean {
  return (
    text.length === CLIENT_ID_LENGTH && text.startsWith(CLIENT_ID_PREFIX) && BASE62.test(text.slice(PREFIX_LENGTH))
  );
}

/**
 * The public handle of a credential: the 24 characters that its client id and all of its tokens share.
 * @throws TypeError when the text is not a client id
 */
export function handleOf(clientId: string): string {
  if (!isWellFormedClientId(clientId)) throw new TypeError('not a client id');
  return clientId.slice(PREFIX_LENGTH);
}

/**
 * A new access token of this client: `lk_at_`, the client's handle, 43 random base62 characters, the checksum.
 * @throws TypeError when the text is not a client id
 */
export function newAccessToken(clientId: string): string {
  return withChecksum(ACCESS_TOKEN_PREFIX + handleOf(clientId) + randomBase62(RANDOM_LENGTH));
}

/** A new client secret: `lk_cs_`, 43 random base62 characters, the checksum. */
export function newClientSecret(): string {
  return withChecksum(SECRET_PREFIXES.client + randomBase62(RANDOM_LENGTH));
}

/** A new resource-server secret: `lk_rs_`, 43 random base62 characters, the checksum. */
export function newResourceServerSecret(): string {
  return withChecksum(SECRET_PREFIXES['resource-server'] + randomBase62(RANDOM_LENGTH));
}

/** A new value for a session cookie: `lk_ss_`, 43 random base62 characters, the checksum. */
export function newSessionToken(): string {
  return withChecksum(SECRET_PREFIXES.session + randomBase62(RANDOM_LENGTH));
}

/** A new API key of a service user: `lk_ak_`, 43 random base62 characters, the checksum. */
export function newApiKey(): string {
  return withChecksum(SECRET_PREFIXES['api-key'] + randomBase62(RANDOM_LENGTH));
}

/** The client id inside a well-formed access token; undefined when prefix, length, alphabet or checksum is wrong. */
export function clientIdOfAccessToken(token: string): string | undefined {
  if (!isWellFormed(token, ACCESS_TOKEN_PREFIX, ACCESS_TOKEN_LENGTH)) return undefined;
  return CLIENT_ID_PREFIX + token.slice(PREFIX_LENGTH, PREFIX_LENGTH + HANDLE_LENGTH);
}

/** What a text is by its form and checksum; undefined if it is no token or secret. Does not check that it exists. */
export function kindOfSecret(text: string): SecretKind | 'access-token' | undefined {
  if (clientIdOfAccessToken(text) !== undefined) return 'access-token';
  return (Object.keys(SECRET_PREFIXES) as SecretKind[]).find((kind) => isWellFormedSecret(text, kind));
}

/** Whether the text has the form and the checksum of a secret of this kind. */
export function isWellFormedSecret(text: string, kind: SecretKind): boolean {
  return isWellFormed(text, SECRET_PREFIXES[kind], SECRET_LENGTH);
}

/** SHA-256 of the UTF-8 text in base64url, 43 characters. Tokens and secrets are stored only in this form. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Whether two digests are equal, in a time that depends only on their lengths. */
export function digestsEqual(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}
