import { OperationApisChanged, OperationCreated, OperationDeleted, OperationUpdated } from '#event-types';
import { Aggregate, DomainError, NO_POLICY, differences, newId } from '#kernel';
import type { OperationPolicy } from '#kernel';
import { changedPolicy } from './operation-policy.ts';
import type { PolicyChanges } from './operation-policy.ts';

/** The state of an operation (a business unit, a tenant). `name` is normalised; `version` is its ETag. */
export interface OperationState {
  readonly id: string;
  name: string;
  /** While it is suspended, its credentials get no tokens and their tokens are not valid. */
  status: 'active' | 'suspended';
  requireAllowedIps: boolean;
  policy: OperationPolicy;
  /** Keys of the APIs that its credentials may be granted, sorted; null: every API of the catalogue. */
  entitledApis: readonly string[] | null;
  readonly credentialCount: number;
  version: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

/** Maximum number of credentials of an operation, including disabled ones. */
export const CREDENTIAL_LIMIT = 10;

/** Maximum number of APIs in the list of an operation. */
const MAX_ENTITLED_APIS = 5_000;

export interface OperationChanges {
  readonly name?: string | undefined;
  readonly status?: 'active' | 'suspended' | undefined;
  readonly requireAllowedIps?: boolean | undefined;
  readonly policy?: PolicyChanges | undefined;
}

/** How to apply a new rule. */
export interface Enforcement {
  /** Whether it applies only to later writes. */
  readonly newOnly: boolean;
  /** Existing credentials that break it and may stay as they are. */
  readonly toleratedCredentialIds: readonly string[];
}

/** A business unit with up to ten credentials. */
export class Operation extends Aggregate {
  constructor(readonly state: OperationState) {
    super();
  }

  static create(name: string, requireAllowedIps: boolean, at: Date): Operation {
    const operation = new Operation({
      id: newId('op'),
      name,
      status: 'active',
      requireAllowedIps,
      policy: NO_POLICY,
      entitledApis: null,
      credentialCount: 0,
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    operation.record(new OperationCreated(operation.target, { name, requireAllowedIps }));
    return operation;
  }

  /**
   * Changes the given attributes. An edit that changes nothing emits no event.
   *
   * @returns whether it changed
   */
  edit(changes: OperationChanges, at: Date, { newOnly, toleratedCredentialIds }: Enforcement): boolean {
    const after = this.editedBy(changes);
    const difference = differences(describe(this.state), describe(after));
    if (difference === undefined) return false;
    this.change(after, at);
    this.record(
      new OperationUpdated(this.target, {
        ...difference,
        ...(newOnly && difference.after.policy !== undefined ? { enforce: 'new' } : {}),
        ...(toleratedCredentialIds.length > 0 ? { toleratedCredentialIds } : {}),
      }),
    );
    return true;
  }

  /** The state after an edit, to check it before it is applied. */
  editedBy({ name, status, requireAllowedIps, policy = {} }: OperationChanges): OperationState {
    const { state } = this;
    return {
      ...state,
      name: name ?? state.name,
      status: status ?? state.status,
      requireAllowedIps: requireAllowedIps ?? state.requireAllowedIps,
      policy: changedPolicy(state.policy, policy),
    };
  }

  /**
   * Sets the APIs that its credentials may be granted. The same transaction must take the others from them.
   *
   * @param keys null: every API of the catalogue
   * @returns whether it changed
   */
  entitle(keys: readonly string[] | null, at: Date): boolean {
    const before = this.state.entitledApis;
    const after = keys === null ? null : [...new Set(keys)].sort();
    if (JSON.stringify(before) === JSON.stringify(after)) return false;
    if (after !== null && after.length > MAX_ENTITLED_APIS) throw tooManyApis();
    this.change({ ...this.state, entitledApis: after }, at);
    this.record(
      new OperationApisChanged(this.target, {
        mode: modeOf(after),
        previousMode: modeOf(before),
        added: without(after, before),
        removed: without(before, after),
      }),
    );
    return true;
  }

  /**
   * Adds APIs to the list and removes some. Ignores added ones that are in the list and removed ones that are not. Does
   * not add to an operation that may use every API.
   *
   * @returns whether it changed
   * @throws DomainError `apis-not-listed` for a removal without a list
   */
  editEntitlement(add: readonly string[], remove: readonly string[], at: Date): boolean {
    const { entitledApis } = this.state;
    if (entitledApis !== null) return this.entitle(without([...entitledApis, ...add], remove), at);
    if (remove.length === 0) return false;
    throw new DomainError(
      'apis-not-listed',
      'The operation may use every API, so there is no list to remove from. Set a list first: PUT {mode: "listed", apis}.',
    );
  }

  /**
   * Records the deletion. The repository checks in the same transaction that it has no credentials.
   */
  delete(): void {
    this.record(new OperationDeleted(this.target, { name: this.state.name }));
  }

  private change(after: OperationState, at: Date): void {
    Object.assign(this.state, after, { version: this.state.version + 1, updatedAt: at });
  }

  private get target(): { readonly id: string; readonly operationId: string } {
    return { id: this.state.id, operationId: this.state.id };
  }
}

type Described = Pick<OperationState, 'name' | 'status' | 'requireAllowedIps' | 'policy'>;

function describe({ name, status, requireAllowedIps, policy }: OperationState): Described {
  return { name, status, requireAllowedIps, policy };
}

function modeOf(keys: readonly string[] | null): 'all' | 'listed' {
  return keys === null ? 'all' : 'listed';
}

function without(keys: readonly string[] | null, others: readonly string[] | null): string[] {
  const left = new Set(others);
  return (keys ?? []).filter((key) => !left.has(key));
}

function tooManyApis(): DomainError {
  return DomainError.invalid('/add', 'too-big', `The list of an operation may name at most ${MAX_ENTITLED_APIS} APIs.`);
}
