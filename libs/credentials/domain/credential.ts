import { Aggregate, DomainError, DomainEvent, firstSecret, newClientId, newId, rotateSecret } from '#kernel';
import type { Rotation, StoredSecret } from '#kernel';
import { describeChanges } from './credential-changes.ts';
import type { CredentialAttributes, CredentialChanges } from './credential-changes.ts';

/** The state of a credential. `slot` is its place among the ten of its operation; `version` is its ETag. */
export interface CredentialState extends CredentialAttributes {
  readonly id: string;
  readonly operationId: string;
  readonly slot: number;
  readonly clientId: string;
  readonly secrets: readonly StoredSecret[];
  readonly lastUsedAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

/** How many APIs a credential may call. */
const MOST_APIS = 500;

/** Who changes it, when, and whether its operation insists on Allowed IPs. */
export interface Change {
  readonly at: Date;
  readonly by: string;
  readonly requireAllowedIps: boolean;
}

/** A Client Credentials object. Attributes come in normalised; the rules between them are here. */
export class Credential extends Aggregate {
  constructor(private current: CredentialState) {
    super();
  }

  get state(): CredentialState {
    return this.current;
  }

  /**
   * @param secretDigest digest of the secret that is shown once
   * @throws DomainError `allowed-ips-required`, `validation`
   */
  static create(
    operationId: string,
    slot: number,
    attributes: CredentialAttributes,
    secretDigest: string,
    change: Change,
  ): Credential {
    checkAllowedIps(attributes.allowedIps, change.requireAllowedIps);
    checkExpiry(attributes.expiresAt, change.at);
    const credential = new Credential({
      ...attributes,
      apis: distinctSorted(attributes.apis),
      id: newId('cr'),
      operationId,
      slot,
      clientId: newClientId(),
      secrets: [firstSecret(secretDigest, change.at)],
      lastUsedAt: null,
      version: 1,
      createdAt: change.at,
      createdBy: change.by,
      updatedAt: change.at,
      updatedBy: change.by,
    });
    const { clientId } = credential.current;
    credential.tell('credential.created.v1', { clientId, ...describeChanges(credential.current) });
    return credential;
  }

  /**
   * Changes what is given and differs. Nothing that differs is no change and no event.
   *
   * @returns whether it changed
   * @throws DomainError `allowed-ips-required`, `validation`
   */
  edit(given: CredentialChanges, change: Change): boolean {
    const changes = given.apis === undefined ? given : { ...given, apis: distinctSorted(given.apis) };
    if (changes.allowedIps !== undefined) checkAllowedIps(changes.allowedIps, change.requireAllowedIps);
    if (changes.expiresAt !== undefined) checkExpiry(changes.expiresAt, change.at);
    const before = describeChanges(this.current);
    const differing = Object.fromEntries(
      Object.entries(describeChanges(changes)).filter(
        ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
      ),
    );
    if (Object.keys(differing).length === 0) return false;
    const set = Object.fromEntries(Object.entries(changes).filter(([name]) => name in differing));
    this.change(set, change);
    this.tell('credential.updated.v1', { changed: differing });
    return true;
  }

  /**
   * Adds and removes APIs collectively; what is there already, or not there, stays as it is.
   *
   * @returns whether it changed
   * @throws DomainError `validation` when they would be too many
   */
  editApis(add: readonly string[], remove: readonly string[], change: Change): boolean {
    const removed = new Set(remove);
    const apis = distinctSorted([...this.current.apis, ...add]).filter((key) => !removed.has(key));
    if (apis.length > MOST_APIS) {
      throw DomainError.invalid('/add', 'too-big', `A credential may call at most ${MOST_APIS} APIs.`);
    }
    return this.edit({ apis }, change);
  }

  /** @param newDigest digest of the new secret, which is shown once */
  rotateSecret(rotation: Rotation, newDigest: string, change: Change): void {
    const secrets = rotateSecret(this.current.secrets, rotation, newDigest, change.at);
    this.change({ secrets }, change);
    this.tell('credential.secret-rotated.v1', {
      secretId: secrets[0]?.id ?? null,
      overlapSeconds: rotation.compromised ? 0 : rotation.overlapSeconds,
      compromised: rotation.compromised,
    });
  }

  /** Its tokens are worthless from the commit of this on; the event has them purged. */
  delete(): void {
    const { clientId, name } = this.current;
    this.tell('credential.deleted.v1', { clientId, name });
  }

  /** Records that tokens were ended by hand, one or all. Nothing to end is no event. */
  endTokens(tokenIds: readonly string[], reason: 'revoked' | 'compromised'): void {
    if (tokenIds.length > 0) this.tell('token.revoked.v1', { tokenIds, count: tokenIds.length, reason });
  }

  private change(set: Partial<CredentialState>, { at, by }: Change): void {
    this.current = { ...this.current, ...set, version: this.current.version + 1, updatedAt: at, updatedBy: by };
  }

  private tell(type: string, data: DomainEvent['data']): void {
    const { id, operationId } = this.current;
    this.record(new DomainEvent(type, operationId, { type: 'credential', id }, data));
  }
}

/** API keys as they are kept: each once, in an order of their own, so that two lists of the same keys are equal. */
function distinctSorted(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}

function checkAllowedIps(allowedIps: readonly string[], required: boolean): void {
  if (!required || allowedIps.length > 0) return;
  throw new DomainError('allowed-ips-required', 'Name the addresses that the credential may be used from.', {
    errors: [{ pointer: '/allowedIps', code: 'allowed-ips-required', message: 'Give at least one address or range.' }],
  });
}

function checkExpiry(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  throw DomainError.invalid(
    '/expiresAt',
    'in-the-past',
    'Give a time in the future, or null for none. To end it now, disable or delete it.',
  );
}
