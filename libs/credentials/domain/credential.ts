import {
  CredentialCreated,
  CredentialDeleted,
  CredentialSecretEnded,
  CredentialSecretRevoked,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  CredentialUpdated,
  TokenRevoked,
} from '#event-types';
import { Aggregate, DomainError, SecretSet, differences, newClientId, newId } from '#kernel';
import type { OperationRules, Rotation, StoredSecret } from '#kernel';
import { describeAttributes } from './credential-changes.ts';
import type { CredentialAttributes, CredentialChanges } from './credential-changes.ts';
import { brokenRules } from './credential-policy.ts';
import { beyondEntitlement, checkEntitlement } from './entitlement.ts';
import { NO_RULES, inheritedFrom, workingSecrets } from './inherited-rules.ts';
import type { InheritedRules } from './inherited-rules.ts';

/** The state of a credential. `slot` is its place among the ten of its operation; `version` is its ETag. */
export interface CredentialState extends CredentialAttributes {
  readonly id: string;
  readonly operationId: string;
  readonly slot: number;
  readonly clientId: string;
  readonly secrets: readonly StoredSecret[];
  readonly inherited: InheritedRules;
  readonly lastUsedAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
  readonly updatedBy: string;
}

/** How many APIs a credential may call. */
const MAX_APIS = 500;

/** Who changes it, when, and the operation that holds it. */
export interface Change {
  readonly at: Date;
  readonly by: string;
  readonly operation: OperationRules;
}

/** A change that the operation has no say in. */
export type PlainChange = Omit<Change, 'operation'>;

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
   * @throws DomainError `allowed-ips-required`, `api-not-entitled`, `validation`
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
      inherited: inheritedFrom(
        change.operation,
        { secrets: [], inherited: NO_RULES },
        { at: change.at, newOnly: false },
      ),
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
  static checks(changes: CredentialChanges, { at, operation }: Omit<Change, 'by'>): (() => void)[] {
    const { apis, expiresAt } = changes;
    return [
      ...(apis === undefined ? [] : [() => checkEntitlement(apis, 'apis', operation)]),
      ...(expiresAt === undefined ? [] : [() => checkExpiry(expiresAt, at)]),
      () => checkPolicy(changes, operation, at),
    ];
  }

  /**
   * Changes what is given and differs. An edit that changes nothing emits no event.
   *
   * @returns whether it changed
   * @throws DomainError `allowed-ips-required`, `api-not-entitled`, `validation`
   */
  edit(given: CredentialChanges, change: Change): boolean {
    const changes = given.apis === undefined ? given : { ...given, apis: distinctSorted(given.apis) };
    for (const check of Credential.checks(given, change)) check();
    return this.apply(changes, change);
  }

  /**
   * Takes APIs away and adds some in one step. What is there already, or not there, stays as it is.
   *
   * @returns whether it changed
   * @throws DomainError `api-not-entitled`; `validation` when they would be too many
   */
  editApis(add: readonly string[], remove: readonly string[], change: Change): boolean {
    checkEntitlement(add, 'add', change.operation);
    const removed = new Set(remove);
    const apis = distinctSorted([...this.current.apis, ...add]).filter((key) => !removed.has(key));
    if (apis.length > MAX_APIS) {
      throw DomainError.invalid('/add', 'too-big', `A credential may call at most ${MAX_APIS} APIs.`);
    }
    return this.apply({ apis }, change);
  }

  /** Takes APIs away, in which its owner has no say. @returns whether it had any of them */
  withdrawApis(keys: readonly string[], change: PlainChange): boolean {
    const withdrawn = new Set(keys);
    return this.apply({ apis: this.current.apis.filter((key) => !withdrawn.has(key)) }, change);
  }

  /** Takes the APIs away that its operation may no longer be granted. @returns whether it had any of them */
  keepWithin(operation: Pick<OperationRules, 'entitledApis'>, change: PlainChange): boolean {
    return this.withdrawApis(beyondEntitlement(this.current.apis, operation), change);
  }

  /**
   * Follows a change of its operation. The change has one event, the operation's; the version moves on all the same, so
   * that nothing that was decided by the old rules is written after it.
   *
   * @param options `newOnly`: whether a maximum age is for secrets that are made from now on
   * @returns whether it changed
   */
  follow(operation: OperationRules, options: { readonly at: Date; readonly newOnly: boolean }): boolean {
    const inherited = inheritedFrom(operation, this.current, options);
    if (JSON.stringify(inherited) === JSON.stringify(this.current.inherited)) return false;
    this.current = { ...this.current, inherited, version: this.current.version + 1 };
    return true;
  }

  /**
   * @param newDigest digest of the new secret, which is shown once
   * @throws DomainError `rotation-in-progress`
   */
  rotateSecret(rotation: Rotation, newDigest: string, change: PlainChange): void {
    const { secrets, data } = this.secretsAt(change.at).rotate(rotation, newDigest);
    this.change({ secrets }, change);
    this.record(new CredentialSecretRotated(this.target, data));
  }

  /**
   * Ends one of two live secrets immediately; its tokens stay.
   *
   * @throws DomainError `not-found`, `last-secret`
   */
  endSecret(secretId: string, change: PlainChange): void {
    const { secrets, data } = this.secretsAt(change.at).end(secretId);
    this.change({ secrets }, change);
    this.record(new CredentialSecretEnded(this.target, data));
  }

  /**
   * Ends a secret that leaked, even the last one, and also one that is too old for its operation: the rule may change.
   *
   * @throws DomainError `not-found`
   */
  revokeSecret(secretId: string, change: PlainChange): void {
    const { secrets, data } = new SecretSet(this.current.secrets, change.at).revoke(secretId);
    this.change({ secrets }, change);
    this.record(new CredentialSecretRevoked(this.target, data));
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

  private secretsAt(at: Date): SecretSet {
    return workingSecrets(this.current.secrets, this.current.inherited, at);
  }

  private apply(changes: CredentialChanges, change: PlainChange): boolean {
    const given = (Object.entries(changes) as [string, unknown][]).filter(([, value]) => value !== undefined);
    const set = Object.fromEntries(given);
    const difference = differences(describeAttributes(this.current), describeAttributes({ ...this.current, ...set }));
    if (difference === undefined) return false;
    this.change(set, change);
    this.record(new CredentialUpdated(this.target, difference));
    return true;
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

function checkPolicy(written: CredentialChanges, operation: OperationRules, at: Date): void {
  const errors = brokenRules(operation, written, at);
  const [first] = errors;
  if (first === undefined) return;
  const isOfOneCode = errors.every(({ code }) => code === 'allowed-ips-required');
  const code = isOfOneCode ? 'allowed-ips-required' : 'validation';
  throw new DomainError(code, 'The operation demands more of its credentials; see errors.', { errors });
}

function checkExpiry(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  throw DomainError.invalid(
    '/expiresAt',
    'in-the-past',
    'Give a time in the future, or null for none. To end it now, disable or delete it.',
  );
}
