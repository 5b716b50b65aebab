import { ApiKeyCreated, ApiKeyDeleted } from '#event-types';
import { Aggregate, DomainError, newId } from '#kernel';

/** Maximum number of keys of a service user: two, so that one can replace the other without a gap. */
export const MAX_KEYS = 2;

/** An API key of a service user. Only its digest is stored. */
export interface ApiKeyState {
  readonly id: string;
  readonly digest: string;
  readonly userId: string;
  readonly name: string;
  readonly expiresAt: Date | null;
  readonly allowedIps: readonly string[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** The attributes of a new key. */
export interface NewApiKey {
  readonly name: string;
  readonly expiresAt: Date | null;
  readonly allowedIps: readonly string[];
}

export class ApiKey extends Aggregate {
  constructor(readonly state: ApiKeyState) {
    super();
  }

  /** @throws DomainError `validation` if it would already be expired */
  static create(userId: string, digest: string, { name, expiresAt, allowedIps }: NewApiKey, at: Date): ApiKey {
    if (expiresAt !== null && expiresAt <= at) {
      throw DomainError.invalid('/expiresAt', 'in-the-past', 'Give a time in the future, or null for never.');
    }
    const key = new ApiKey({
      ...{ id: newId('ky'), digest, userId, name, expiresAt, allowedIps },
      ...{ createdAt: at, lastUsedAt: null },
    });
    const data = {
      keyId: key.state.id,
      name,
      expiresAt: expiresAt?.toISOString() ?? null,
      allowedIps: [...allowedIps],
    };
    key.record(new ApiKeyCreated({ id: userId }, data));
    return key;
  }

  /** @param options `leaked`: it had become known to others. `reconciled`: a restored backup revived it */
  delete({ leaked = false, reconciled = false } = {}): void {
    const { id, userId, name } = this.state;
    const why = { ...(leaked ? { leaked } : {}), ...(reconciled ? { reconciled } : {}) };
    this.record(new ApiKeyDeleted({ id: userId }, { keyId: id, name, ...why }));
  }
}

export function isExpired({ expiresAt }: ApiKeyState, nowMs: number): boolean {
  return expiresAt !== null && expiresAt.getTime() <= nowMs;
}
