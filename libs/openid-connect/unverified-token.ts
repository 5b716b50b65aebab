import { UnsecuredJWT, decodeProtectedHeader, errors } from 'jose';
import type { JWTClaimVerificationOptions, JWTPayload, ProtectedHeaderParameters } from 'jose';

/**
 * Algorithms that are accepted, and the bytes of their signatures. Only those with a public key: with a shared secret,
 * or `none`, anyone could make tokens (RFC 8725 3.1).
 */
const SIGNATURE_BYTES: ReadonlyMap<string, number | 'as its key'> = new Map<string, number | 'as its key'>([
  ['RS256', 'as its key'],
  ['RS384', 'as its key'],
  ['RS512', 'as its key'],
  ['PS256', 'as its key'],
  ['PS384', 'as its key'],
  ['PS512', 'as its key'],
  ['ES256', 64],
  ['ES384', 96],
  ['ES512', 132],
  ['EdDSA', 64],
  ['Ed25519', 64],
]);
export const ALGORITHMS = [...SIGNATURE_BYTES.keys()];
/** RFC 7518 3.3: an RSA key has 2048 bits or more. */
const MIN_RSA_BYTES = 256;
/** RFC 7515 7.1: three parts in base64url, without padding. */
const COMPACT_JWS = /^[\w-]+\.([\w-]+)\.([\w-]+)$/;
const ACCESS_TOKEN = 'at+jwt';
/**
 * RFC 9068 2.1 wants `at+jwt`; most providers still send `JWT`, or nothing. Any other type is another kind of token
 * (RFC 8725 3.11).
 */
const TYPES: readonly (string | undefined)[] = [undefined, 'jwt', ACCESS_TOKEN];
/** RFC 9068 2.2: what a token that calls itself an access token by this RFC must hold. */
const ACCESS_TOKEN_CLAIMS = ['client_id', 'iat', 'jti'];
/**
 * Members that only other kinds have: logout tokens and other events (RFC 8417 2.2), ID tokens (OpenID Connect Core
 * 3.1.3.6, 3.3.2.11).
 */
const FOREIGN_CLAIMS = ['events', 'at_hash', 'c_hash'];
const UNSECURED_HEADER = Buffer.from('{"alg":"none"}').toString('base64url');

/**
 * Whether a token could be good, by what it says of itself and nobody vouches for yet. Everything but its signature is
 * looked at, since whoever wants to can send tokens for which the provider must be asked.
 *
 * @param required what its claims must be
 */
export function mayBeGood(token: string, required: JWTClaimVerificationOptions): boolean {
  const [, payload = '', signature = ''] = COMPACT_JWS.exec(token) ?? [];
  try {
    const header = decodeProtectedHeader(token);
    if (!isHeaderUsable(header) || !fits(signature, header.alg)) return false;
    // jose checks claims only behind a signature, or of a token that never had one
    const { payload: claims } = UnsecuredJWT.decode(`${UNSECURED_HEADER}.${payload}.`, required);
    // RFC 7519 4.1.2: a subject is a string; a number that is made one could be another person's
    return typeof claims.sub === 'string' && isAccessToken(header, claims);
  } catch (error) {
    // what is no base64url or no JSON is a TypeError or a SyntaxError
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError) return false;
    throw error;
  }
}

function isHeaderUsable({ kid, typ, crit, b64 }: ProtectedHeaderParameters): boolean {
  const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
  // RFC 7515 4.1.11: no extension is supported; RFC 7797 6: `b64` is one, and not for JWTs
  return isText(kid) && isText(typ) && crit === undefined && b64 === undefined;
}

function fits(signature: string, algorithm: unknown): boolean {
  const expected = typeof algorithm === 'string' ? SIGNATURE_BYTES.get(algorithm) : undefined;
  const bytes = Buffer.byteLength(signature, 'base64url');
  return expected === 'as its key' ? bytes >= MIN_RSA_BYTES : bytes === expected;
}

function isAccessToken({ typ }: ProtectedHeaderParameters, claims: JWTPayload): boolean {
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (!TYPES.includes(type) || FOREIGN_CLAIMS.some((name) => Object.hasOwn(claims, name))) return false;
  // Keycloak signs all kinds with one key and `typ: JWT`, and tells them apart by a claim
  if (claims['typ'] !== undefined && claims['typ'] !== 'Bearer') return false;
  return type !== ACCESS_TOKEN || ACCESS_TOKEN_CLAIMS.every((name) => Object.hasOwn(claims, name));
}
