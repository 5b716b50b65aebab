import { DomainError } from './domain-error.ts';
import { newId } from './ids.ts';
import { digestsEqual } from './opaque-tokens.ts';

/** A secret as it is stored: its SHA-256 digest, its end (null: it has none) and its last use. */
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

/** A secret as it is shown: nothing that identifies the secret itself. */
export interface SecretView {
  readonly id: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

/** The same in a list of secrets. */
export interface ListedSecret extends SecretView {
  /** Whether it is the newest live one. */
  readonly current: boolean;
}

export interface Rotation {
  /** How long the secret that is replaced stays valid, in seconds; 0 ends it immediately. */
  readonly overlapSeconds: number;
  /** Whether every older secret may be in wrong hands: they all end immediately, whatever the overlap. */
  readonly compromised: boolean;
  /** While two secrets are live: whether the older one ends immediately. Without it the rotation is refused. */
  readonly endOldest: boolean;
}

/** Secrets after a change, and the data of the event about it. */
export interface SecretChange<Data> {
  readonly secrets: readonly StoredSecret[];
  readonly data: Data;
}

/** Data of the event of a rotation. */
export interface RotationData {
  readonly secretId: string;
  readonly previousSecretId: string | null;
  readonly previousEndsAt: string | null;
  readonly endedSecretIds: readonly string[];
  readonly compromised: boolean;
}

/** Data of the event of one secret's end. */
export interface SecretEndData {
  readonly secretId: string;
  readonly remainingSecretId: string;
  readonly remainingEndsAt: string | null;
}

/** The secrets of one credential or resource server at one moment. At most two are live, the newest is the current one. */
export class SecretSet {
  /** The live secrets, the current one first. */
  readonly live: readonly StoredSecret[];

  constructor(
    stored: readonly StoredSecret[],
    private readonly at: Date,
  ) {
    this.live = stored.filter((secret) => isLiveSecret(secret, at.getTime()));
  }

  /** @param secretDigest of the first secret (`digest`), never the secret */
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
   * A new current secret; the one before it stays valid for the overlap.
   *
   * @throws DomainError `rotation-in-progress` while two are live: the older one may be the one that is in use
   */
  rotate({ overlapSeconds, compromised, endOldest }: Rotation, newDigest: string): SecretChange<RotationData> {
    const [previous, oldest] = this.live;
    if (oldest !== undefined && !compromised && !endOldest) throw this.rotationInProgress();
    const current = SecretSet.first(newDigest, this.at);
    const overlaps = previous !== undefined && !compromised && overlapSeconds > 0;
    const endsAt = overlaps ? new Date(this.at.getTime() + overlapSeconds * 1000) : this.at;
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
   * Ends one secret immediately. The announced end of the other one stays: ending a secret never prolongs another.
   *
   * @throws DomainError `not-found` when it is not live, `last-secret` when no other is
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

  private rotationInProgress(): DomainError {
    return new DomainError(
      'rotation-in-progress',
      'Two secrets are live, see `secrets`. Wait until the older one ends, end one with DELETE …/secrets/{secretId}, ' +
        'or send endOldest: true (a leak: compromised: true).',
      { extensions: { secrets: listSecrets(this.views) } },
    );
  }
}

/** @param views of a `SecretSet`, the current one first */
export function listSecrets(views: readonly SecretView[]): ListedSecret[] {
  return views.map((view, index) => ({ ...view, current: index === 0 }));
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
