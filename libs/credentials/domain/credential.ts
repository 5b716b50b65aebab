import {
  CredentialCreated,
  CredentialDeleted,
  CredentialSecretEnded,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  CredentialUpdated,
  TokenRevoked,
} from '#event-types';
import { Aggregate, DomainError, SecretSet, differences, newClientId, newId } from '#kernel';
import type { Rotation, StoredSecret } from '#kernel';
import { describeAttributes } from './credential-changes.ts';
import type { CredentialAttributes, CredentialChanges } from './credential-changes.ts';
import { brokenRules } from './credential-policy.ts';
import type { CredentialPolicy } from './credential-policy.ts';

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

/** Who changes it, when, and what its operation demands. */
export interface Change {
  readonly at: Date;
  readonly by: string;
  readonly policy: CredentialPolicy;
}

/** A change that no policy has a say in. */
export type PlainChange = Omit<Change, 'policy'>;

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
    for (const check of Credential.checks(attributes, change)) check();
    const secret = SecretSet.first(secretDigest, change.at);
    const credential = new Credential({
      ...attributes,
      apis: distinctSorted(attributes.apis),
      id: newId('cr'),
      operationId,
      slot,
      clientId: newClientId(),
      secrets: [secret],
      lastUsedAt: null,
      version: 1,
      createdAt: change.at,
      createdBy: change.by,
      updatedAt: change.at,
      updatedBy: change.by,
    });
    const { clientId } = credential.current;
    credential.record(
      new CredentialCreated(credential.target, {
        clientId,
        secretId: secret.id,
        ...describeAttributes(credential.current),
      }),
    );
    return credential;
  }

  /** The rules that what is given must keep. Handlers run them all (`checkAll`), so that every fault is told. */
  static checks({ allowedIps, expiresAt }: CredentialChanges, { at, policy }: Omit<Change, 'by'>): (() => void)[] {
    return [
      ...(allowedIps === undefined ? [] : [() => checkPolicy(allowedIps, policy)]),
      ...(expiresAt === undefined ? [] : [() => checkExpiry(expiresAt, at)]),
    ];
  }

  /**
   * Changes what is given and differs. An edit that changes nothing emits no event.
   *
   * @returns whether it changed
   * @throws DomainError `allowed-ips-required`, `validation`
   */
  edit(given: CredentialChanges, change: Change): boolean {
    const changes = given.apis === undefined ? given : { ...given, apis: distinctSorted(given.apis) };
    for (const check of Credential.checks(changes, change)) check();
    const before = this.current;
    const set = Object.fromEntries(
      (Object.entries(changes) as [string, unknown][]).filter(([, value]) => value !== undefined),
    );
    const after = { ...before, ...set };
    const difference = differences(describeAttributes(before), describeAttributes(after));
    if (difference === undefined) return false;
    this.change(set, change);
    this.record(new CredentialUpdated(this.target, difference));
    return true;
  }

  /**
   * Adds and removes APIs collectively; what is there already, or not there, stays as it is.
   *
   * @returns whether it changed
   * @throws DomainError `validation` when they would be too many
   */
  editApis(add: readonly string[], remove: readonly string[], change: PlainChange): boolean {
    const removed = new Set(remove);
    const apis = distinctSorted([...this.current.apis, ...add]).filter((key) => !removed.has(key));
    if (apis.length > MOST_APIS) {
      throw DomainError.invalid('/add', 'too-big', `A credential may call at most ${MOST_APIS} APIs.`);
    }
    return this.edit({ apis }, { ...change, policy: { requireAllowedIps: false } });
  }

  /**
   * @param newDigest digest of the new secret, which is shown once
   * @throws DomainError `rotation-in-progress`
   */
  rotateSecret(rotation: Rotation, newDigest: string, change: PlainChange): void {
    const { secrets, data } = new SecretSet(this.current.secrets, change.at).rotate(rotation, newDigest);
    this.change({ secrets }, change);
    this.record(new CredentialSecretRotated(this.target, data));
  }

  /**
   * Ends one of two live secrets immediately; its tokens stay.
   *
   * @throws DomainError `not-found`, `last-secret`
   */
  endSecret(secretId: string, change: PlainChange): void {
    const { secrets, data } = new SecretSet(this.current.secrets, change.at).end(secretId);
    this.change({ secrets }, change);
    this.record(new CredentialSecretEnded(this.target, data));
  }

  /**
   * Its tokens are worthless from the commit of this on; the event has them purged.
   *
   * @param options `reconciled`: it had been deleted before, and a restore brought it back
   */
  delete({ reconciled = false } = {}): void {
    const { clientId, name } = this.current;
    this.record(new CredentialDeleted(this.target, { clientId, name, ...(reconciled ? { reconciled } : {}) }));
  }

  /** Ends secrets that had ended before, and that a restore brought back. @param ends when each of them ends, by id */
  endSecretsAgain(ends: ReadonlyMap<string, Date>, change: PlainChange): void {
    if (ends.size === 0) return;
    const secrets = this.current.secrets.map((secret) => ({
      ...secret,
      expiresAt: ends.get(secret.id) ?? secret.expiresAt,
    }));
    this.change({ secrets }, change);
    this.record(new CredentialSecretsReconciled(this.target, { secretIds: [...ends.keys()] }));
  }

  /** Records that tokens were revoked, one or all. Without tokens it emits no event. */
  endTokens(tokenIds: readonly string[], reason: 'revoked' | 'compromised' | 'reconciled'): void {
    if (tokenIds.length > 0) this.record(new TokenRevoked(this.target, { tokenIds, count: tokenIds.length, reason }));
  }

  private change(set: Partial<CredentialState>, { at, by }: PlainChange): void {
    this.current = { ...this.current, ...set, version: this.current.version + 1, updatedAt: at, updatedBy: by };
  }

  private get target(): { readonly id: string; readonly operationId: string } {
    const { id, operationId } = this.current;
    return { id, operationId };
  }
}

/** API keys as they are kept: each once, in an order of their own, so that two lists of the same keys are equal. */
function distinctSorted(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}

function checkPolicy(allowedIps: readonly string[], policy: CredentialPolicy): void {
  const [fault, ...others] = brokenRules(policy, { allowedIps });
  if (fault === undefined) return;
  throw new DomainError(fault.code, 'The operation demands more of its credentials; see errors.', {
    errors: [fault, ...others],
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
