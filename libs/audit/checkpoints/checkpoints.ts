import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The statement of a checkpoint: at that time, the chain's event `seq` had this hash. */
export interface CheckpointBody {
  readonly id: string;
  /** The operation of the chain; null for the platform chain. */
  readonly operationId: string | null;
  readonly seq: number;
  readonly hash: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string;
  /** RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
}

/** A signed checkpoint (docs/event-log-format.md, "A checkpoint"). */
export interface Checkpoint extends CheckpointBody {
  /** Ed25519 (RFC 8032), base64url without padding. */
  readonly signature: string;
}

/** A public key as published (RFC 8037 2). A retired key stays listed with the time of its retirement. */
export interface CheckpointJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly latchkey_retired_at?: string;
}

/** The private key and its published form. */
export interface CheckpointSigner {
  readonly keyId: string;
  readonly jwk: CheckpointJwk;
  readonly privateKey: KeyObject;
}

/** The reason why a checkpoint is not valid. */
export type CheckpointFault = 'unknown-key' | 'retired-key' | 'signature';

/**
 * Reads a signing key.
 * @param pem an Ed25519 private key, PKCS#8 PEM
 * @throws TypeError for anything else; the message repeats nothing of it
 */
export function checkpointSigner(pem: string): CheckpointSigner {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    // without the cause's message, which may reveal the key
    throw new TypeError('the checkpoint key is not an Ed25519 private key in PKCS#8 PEM');
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('the checkpoint key is not an Ed25519 key');
  const jwk = publicJwk(createPublicKey(privateKey));
  return { keyId: jwk.kid, jwk, privateKey };
}

/**
 * The published form of an Ed25519 public key.
 * @param key a KeyObject, or a public key as SPKI PEM
 * @throws TypeError when it is not an Ed25519 public key
 */
export function publicJwk(key: KeyObject | string): CheckpointJwk {
  const publicKey = typeof key === 'string' ? createPublicKey(key) : key;
  if (publicKey.type !== 'public' || publicKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('not an Ed25519 public key');
  }
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('not an Ed25519 public key');
  return { kty: 'OKP', crv: 'Ed25519', x, kid: keyThumbprint(x), use: 'sig' };
}

/**
 * A key's id: RFC 7638 thumbprint with SHA-256, base64url, over the members that RFC 8037 2 requires of an OKP key.
 * @param x the public key's 32 bytes, base64url
 */
export function keyThumbprint(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}

/** Signs a checkpoint and fills in the id of the key. */
export function signCheckpoint(body: Omit<CheckpointBody, 'keyId'>, signer: CheckpointSigner): Checkpoint {
  const signed: CheckpointBody = { ...body, keyId: signer.keyId };
  const signature = sign(null, signedBytes(signed), signer.privateKey).toString('base64url');
  return { ...signed, signature };
}

/**
 * Checks that a key of the set signed the checkpoint before its retirement.
 * @returns null if valid, else the fault
 */
export function verifyCheckpoint(checkpoint: Checkpoint, keys: readonly CheckpointJwk[]): CheckpointFault | null {
  const jwk = keys.find((key) => key.kid === checkpoint.keyId);
  if (jwk === undefined || keyThumbprint(jwk.x) !== jwk.kid) return 'unknown-key';
  // all times have the same form and length, so strings sort by time
  if (jwk.latchkey_retired_at !== undefined && checkpoint.at > jwk.latchkey_retired_at) return 'retired-key';
  const { kty, crv, x } = jwk;
  const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
  const signature = Buffer.from(checkpoint.signature, 'base64url');
  // a signature has exactly one text form; Buffer also accepts padding, other characters and stray last bits
  if (signature.toString('base64url') !== checkpoint.signature) return 'signature';
  return verify(null, signedBytes(checkpoint), publicKey, signature) ? null : 'signature';
}

// 0x01 separates the signed bytes of a checkpoint from the hashed bytes of an event (0x00)
function signedBytes({ id, operationId, seq, hash, at, keyId }: CheckpointBody): Buffer {
  const canonical = canonicalize({ id, operationId, seq, hash, at, keyId });
  if (canonical === undefined) throw new TypeError('a checkpoint has no canonical form');
  return Buffer.concat([Buffer.of(1), Buffer.from(canonical)]);
}
