import { newId } from './ids.ts';
import { digestsEqual } from './opaque-tokens.ts';

/** A secret as it is kept: its SHA-256 digest, when it ends (null: it is the current one) and when it was last used. */
export interface StoredSecret {
  readonly id: string;
  readonly digest: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** What `matchSecret` needs to know of a secret. */
export interface LiveSecret {
  readonly digest: string;
  readonly expiresAt: Date | null;
}

export interface Rotation {
  /** How long the secret that is replaced goes on being good, in seconds; 0 ends it at once. */
  readonly overlapSeconds: number;
  /** Whether every older secret may be in wrong hands: they all end at once, whatever the overlap. */
  readonly compromised: boolean;
}

/** A secret that is current from `at` on. @param secretDigest of the secret (`digest`), never the secret */
export function firstSecret(secretDigest: string, at: Date): StoredSecret {
  return { id: newId('se'), digest: secretDigest, createdAt: at, expiresAt: null, lastUsedAt: null };
}

/**
 * The secrets after a rotation at `at`, the current one first. At most two are live: the one that was current ends when
 * the overlap is over; one that was older still, and lives only by the overlap of an earlier rotation, ends at once.
 * (To refuse the rotation until it has ended would keep an administrator from replacing a leaked secret.)
 */
export function rotateSecret(
  secrets: readonly StoredSecret[],
  { overlapSeconds, compromised }: Rotation,
  newDigest: string,
  at: Date,
): StoredSecret[] {
  const current = firstSecret(newDigest, at);
  if (compromised || overlapSeconds === 0) return [current];
  const expiresAt = new Date(at.getTime() + overlapSeconds * 1000);
  return [
    current,
    ...secrets.filter((secret) => secret.expiresAt === null).map((secret) => ({ ...secret, expiresAt })),
  ];
}

/** Whether the secret is good at `atMs` (milliseconds since the epoch): an end is the first moment at which it is not. */
export function isLiveSecret({ expiresAt }: Pick<LiveSecret, 'expiresAt'>, atMs: number): boolean {
  return expiresAt === null || atMs < expiresAt.getTime();
}

/**
 * The live secret with this digest. All are compared, each in constant time, so that how long it takes tells nothing but
 * how many there are.
 */
export function matchSecret<T extends readonly LiveSecret[]>(
  secrets: T,
  given: string,
  atMs: number,
): T[number] | undefined {
  let match: T[number] | undefined;
  for (const secret of secrets) {
    const equal = digestsEqual(secret.digest, given);
    if (equal && isLiveSecret(secret, atMs)) match = secret;
  }
  return match;
}
