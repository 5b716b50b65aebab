import { DomainError } from './domain-error.ts';
import { newId } from './ids.ts';
import { digestsEqual } from './opaque-tokens.ts';

/** A secret as stored: its SHA-256 digest, its expiry (null: it does not expire) and its last use. */
export interface StoredSecret {
  readonly id: string;
  readonly digest: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** The members of a secret that `matchSecret` needs. */
export interface LiveSecret {
  readonly digest: string;
  readonly expiresAt: Date | null;
}

/** A secret as shown to callers: without the digest. */
export interface SecretView {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

/** A secret as shown in a list. */
export interface ListedSecret extends SecretView {
  /** True for the newest live secret. */
  readonly current: boolean;
}

export interface Rotation {
  /** How long the replaced secret stays valid; 0 ends it immediately. */
  readonly overlapSeconds: number;
  /** Whether older secrets may have leaked. If so, all of them end immediately, regardless of the overlap. */
  readonly compromised: boolean;
  /** Whether to end the older of two live secrets. Without it, a rotation is refused while two are live. */
  readonly endOldest: boolean;
}

/** The secrets after a change, and the data of its event. */
export interface SecretChange<Data> {
  readonly secrets: readonly StoredSecret[];
  readonly data: Data;
}

/** Event data of a rotation. */
export interface RotationData {
  readonly secretId: string;
  readonly previousSecretId: string | null;
  readonly previousEndsAt: string | null;
  readonly endedSecretIds: readonly string[];
  readonly compromised: boolean;
}

/** Event data when one secret is ended. */
export interface SecretEndData {
  readonly secretId: string;
  readonly remainingSecretId: string;
  readonly remainingEndsAt: string | null;
}

/** Event data when a leaked secret is ended. */
export interface SecretRevocationData {
  readonly secretId: string;
  readonly remainingSecretId: string | null;
}

/**
 * The secrets of a credential or resource server at one moment. At most two are live; the newest is the current one.
 */
export class SecretSet {
  /** The live secrets, the current one first. */
  readonly live: readonly StoredSecret[];

  constructor(
    stored: readonly StoredSecret[],
    private readonly at: Date,
  ) {
    this.live = stored.filter((secret) => isLiveSecret(secret, at.getTime()));
  }

  /** @param secretDigest the digest of the first secret, never the secret itself */
  static first(secretDigest: string, at: Date): StoredSecret {
    return { id: newId('se'), digest: secretDigest, createdAt: at, expiresAt: null, lastUsedAt: null };
  }

  get views(): SecretView[] {
    return this.live.map(({ id, createdAt, expiresAt, lastUsedAt }) => ({
      id,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt?.toISOString() ?? null,
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    }));
  }

  /**
   * Adds a new current secret. The previous one stays valid for the overlap, unless it ends before that.
   *
   * @throws DomainError `rotation-in-progress` while two are live, because clients may still use the older one
   */
  rotate({ overlapSeconds, compromised, endOldest }: Rotation, newDigest: string): SecretChange<RotationData> {
    const [previous, oldest] = this.live;
    if (oldest !== undefined && !compromised && !endOldest) throw this.rotationInProgress();
    const current = SecretSet.first(newDigest, this.at);
    const overlaps = previous !== undefined && !compromised && overlapSeconds > 0;
    const overlapEndsAt = new Date(this.at.getTime() + overlapSeconds * 1000);
    const endsAt = overlaps ? earlier(previous.expiresAt, overlapEndsAt) : this.at;
    const ended = overlaps ? this.live.slice(1) : this.live;
    return {
      secrets: overlaps ? [current, { ...previous, expiresAt: endsAt }] : [current],
      data: {
        secretId: current.id,
        previousSecretId: previous?.id ?? null,
        previousEndsAt: previous === undefined ? null : endsAt.toISOString(),
        endedSecretIds: ended.map(({ id }) => id),
        compromised,
      },
    };
  }

  /**
   * Ends one secret immediately. The expiry of the other one does not change.
   *
   * @throws DomainError `not-found` when it is not live, `last-secret` when it is the only live one
   */
  end(secretId: string): SecretChange<SecretEndData> {
    const secrets = this.live.filter(({ id }) => id !== secretId);
    if (secrets.length === this.live.length) throw DomainError.notFound('live secret');
    const [remaining] = secrets;
    if (remaining === undefined) {
      throw new DomainError(
        'last-secret',
        'This is the only live secret. Rotate it (with compromised: true if it leaked), or disable or delete its owner.',
      );
    }
    return {
      secrets,
      data: {
        secretId,
        remainingSecretId: remaining.id,
        remainingEndsAt: remaining.expiresAt?.toISOString() ?? null,
      },
    };
  }

  /**
   * Ends a leaked secret immediately, even the last one. Its digest stays stored until the next rotation, so that it is
   * recognized when it is found again.
   *
   * @throws DomainError `not-found` when it is not live
   */
  revoke(secretId: string): SecretChange<SecretRevocationData> {
    const remaining = this.live.filter(({ id }) => id !== secretId);
    if (remaining.length === this.live.length) throw DomainError.notFound('live secret');
    return {
      secrets: this.live.map((secret) => (secret.id === secretId ? { ...secret, expiresAt: this.at } : secret)),
      data: { secretId, remainingSecretId: remaining[0]?.id ?? null },
    };
  }

  private rotationInProgress(): DomainError {
    return new DomainError(
      'rotation-in-progress',
      'Two secrets are live (see `secrets`). Wait until the older one expires, end one with ' +
        'DELETE …/secrets/{secretId}, or send endOldest: true (after a leak: compromised: true).',
      { extensions: { secrets: listSecrets(this.views) } },
    );
  }
}

/** @param views of a `SecretSet`, the current one first */
export function listSecrets(views: readonly SecretView[]): ListedSecret[] {
  return views.map((view, index) => ({ ...view, current: index === 0 }));
}

/** Whether the secret is valid at `atMs` (milliseconds since the epoch). The expiry itself is exclusive. */
export function isLiveSecret({ expiresAt }: Pick<LiveSecret, 'expiresAt'>, atMs: number): boolean {
  return expiresAt === null || atMs < expiresAt.getTime();
}

/**
 * The live secret with this digest. Compares all of them, each in constant time, so that timing reveals only their
 * number.
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

/** The earlier of two moments; null is no moment. */
function earlier(one: Date | null, other: Date): Date {
  return one !== null && one < other ? one : other;
}
