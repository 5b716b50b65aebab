// Keys and checkpoints: docs/event-log-format.md, "A checkpoint", "The keys" and step 1 of "Verifying".
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalForm, isObject } from './json.ts';
import type { Json, JsonObject } from './json.ts';
import { isIdentifier, isInstant, readCheckpoint } from './shapes.ts';
import type { Checkpoint } from './shapes.ts';

/** The reason why an input is unreadable, exit code 2. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

export interface PublicKey {
  readonly key: KeyObject;
  readonly retiredAt: string | null;
}
/** Public keys by their RFC 7638 thumbprints. */
export type KeySet = ReadonlyMap<string, PublicKey>;

export type CheckpointCode = 'not-a-checkpoint' | 'unknown-key' | 'retired-key' | 'signature';
export interface CheckpointFault {
  /** Its position among all given checkpoints, from 0. */
  readonly index: number;
  readonly id: string | null;
  readonly code: CheckpointCode;
}

/** Collects the keys of JWK Sets and PEM files; throws an InputError when one is not usable. */
export class KeyRing {
  readonly keys = new Map<string, PublicKey>();

  addSet(value: Json): void {
    const keys = isObject(value) ? value['keys'] : undefined;
    if (!Array.isArray(keys)) throw new InputError('not a JWK Set');
    for (const jwk of keys) if (isObject(jwk) && jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519') this.addJwk(jwk);
  }

  addPem(pem: string): void {
    // a private key would be accepted too: its public half can be derived
    if (!/^-----BEGIN PUBLIC KEY-----\s/.test(pem)) throw new InputError('not a public key in PEM');
    let key: KeyObject;
    try {
      key = createPublicKey(pem);
    } catch {
      throw new InputError('not a public key in PEM');
    }
    if (key.asymmetricKeyType !== 'ed25519') throw new InputError('not an Ed25519 key');
    this.add(key.export({ format: 'jwk' }).x ?? '', null);
  }

  private addJwk({ x, kid, d, latchkey_retired_at: retiredAt }: JsonObject): void {
    if (d !== undefined) throw new InputError('holds a private key');
    if (typeof x !== 'string' || decodeExactly(x, 32) === null) throw new InputError('holds a key that is none');
    if (kid !== thumbprint(x)) throw new InputError('holds a key whose kid is not its thumbprint');
    if (retiredAt !== undefined && !isInstant(retiredAt)) {
      throw new InputError('holds a key whose latchkey_retired_at is no instant');
    }
    this.add(x, retiredAt ?? null);
  }

  private add(x: string, retiredAt: string | null): void {
    const kid = thumbprint(x);
    const earlier = this.keys.get(kid)?.retiredAt ?? null;
    const retirements = [earlier, retiredAt].filter((instant) => instant !== null).sort();
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    this.keys.set(kid, { key, retiredAt: retirements[0] ?? null });
  }
}

/** The checkpoints of a document: an array, or an object with the array `items`. @throws InputError otherwise */
export function listOfCheckpoints(value: Json): Json[] {
  const list = isObject(value) ? value['items'] : value;
  if (!Array.isArray(list)) throw new InputError('neither an array nor an object with an array "items"');
  return list;
}

/** The valid checkpoints, and the faults of the others. Those that `wanted` rejects are skipped. */
export function checkCheckpoints(
  list: readonly Json[],
  keys: KeySet,
  wanted: (checkpoint: Checkpoint) => boolean,
): { good: Checkpoint[]; faults: CheckpointFault[] } {
  const good: Checkpoint[] = [];
  const faults: CheckpointFault[] = [];
  list.forEach((value, index) => {
    const checkpoint = readCheckpoint(value);
    if (checkpoint !== null && !wanted(checkpoint)) return;
    const code = checkpoint === null ? 'not-a-checkpoint' : faultOf(checkpoint, keys);
    if (code === null) {
      good.push(checkpoint as Checkpoint);
    } else {
      const id = isObject(value) && isIdentifier(value['id']) ? value['id'] : null;
      faults.push({ index, id, code });
    }
  });
  return { good, faults };
}

function faultOf(checkpoint: Checkpoint, keys: KeySet): CheckpointCode | null {
  const publicKey = keys.get(checkpoint.keyId);
  if (publicKey === undefined) return 'unknown-key';
  // instants have one format and length, so they sort by time
  if (publicKey.retiredAt !== null && checkpoint.at > publicKey.retiredAt) return 'retired-key';
  const { signature: text, ...body } = checkpoint;
  const signature = decodeExactly(text, 64);
  const signed = canonicalForm(body);
  if (signature === null || signed === null) return 'signature';
  const message = Buffer.concat([Buffer.of(0x01), Buffer.from(signed)]);
  return verify(null, message, publicKey.key, signature) ? null : 'signature';
}

function thumbprint(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
}

// Buffer.from accepts padding, foreign characters and unused last bits; here only one text per value is valid
function decodeExactly(text: string, length: number): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === length && bytes.toString('base64url') === text ? bytes : null;
}
