import { OperationCreated, OperationDeleted, OperationUpdated } from '#event-types';
import { Aggregate, differences, newId } from '#kernel';

/** The state of an operation (a business unit, a tenant). `name` is normalised; `version` is its ETag. */
export interface OperationState {
  readonly id: string;
  name: string;
  requireAllowedIps: boolean;
  readonly credentialCount: number;
  version: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

/** How many credentials an operation may hold, disabled ones included. */
export const CREDENTIAL_LIMIT = 10;

export interface OperationChanges {
  readonly name?: string | undefined;
  readonly requireAllowedIps?: boolean | undefined;
}

/** A business unit, which holds up to ten credentials. */
export class Operation extends Aggregate {
  constructor(readonly state: OperationState) {
    super();
  }

  static create(name: string, requireAllowedIps: boolean, at: Date): Operation {
    const operation = new Operation({
      id: newId('op'),
      name,
      requireAllowedIps,
      credentialCount: 0,
      version: 1,
      createdAt: at,
      updatedAt: at,
    });
    operation.record(new OperationCreated(operation.target, { name, requireAllowedIps }));
    return operation;
  }

  /**
   * Changes what is given. An edit that changes nothing emits no event.
   *
   * @param toleratedCredentialIds of credentials that break a new rule and may stay as they are
   * @returns whether it changed
   */
  edit(changes: OperationChanges, at: Date, toleratedCredentialIds: readonly string[] = []): boolean {
    const { state } = this;
    const before = { name: state.name, requireAllowedIps: state.requireAllowedIps };
    const after = {
      name: changes.name ?? before.name,
      requireAllowedIps: changes.requireAllowedIps ?? before.requireAllowedIps,
    };
    const difference = differences(before, after);
    if (difference === undefined) return false;
    Object.assign(state, after, { version: state.version + 1, updatedAt: at });
    const data = { ...difference };
    this.record(
      new OperationUpdated(this.target, toleratedCredentialIds.length > 0 ? { ...data, toleratedCredentialIds } : data),
    );
    return true;
  }

  /**
   * Records the deletion; that it holds no credential is the repository's condition, checked in the same transaction.
   */
  delete(): void {
    this.record(new OperationDeleted(this.target, { name: this.state.name }));
  }

  private get target(): { readonly id: string; readonly operationId: string } {
    return { id: this.state.id, operationId: this.state.id };
  }
}
