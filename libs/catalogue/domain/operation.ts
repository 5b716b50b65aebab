import { Aggregate, DomainEvent, newId } from '#kernel';

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
    operation.tell('operation.created.v1', { name, requireAllowedIps });
    return operation;
  }

  /** Changes what is given. Nothing given, or nothing that differs, is no change and no event. @returns whether it changed */
  edit(changes: OperationChanges, at: Date): boolean {
    const { state } = this;
    const changed: Record<string, string | boolean> = {};
    if (changes.name !== undefined && changes.name !== state.name) changed['name'] = state.name = changes.name;
    if (changes.requireAllowedIps !== undefined && changes.requireAllowedIps !== state.requireAllowedIps) {
      changed['requireAllowedIps'] = state.requireAllowedIps = changes.requireAllowedIps;
    }
    if (Object.keys(changed).length === 0) return false;
    state.version += 1;
    state.updatedAt = at;
    this.tell('operation.updated.v1', { changed });
    return true;
  }

  /** Records the deletion; that it holds no credential is the repository's condition, checked in the same transaction. */
  delete(): void {
    this.tell('operation.deleted.v1', { name: this.state.name });
  }

  private tell(type: string, data: DomainEvent['data']): void {
    this.record(new DomainEvent(type, this.state.id, { type: 'operation', id: this.state.id }, data));
  }
}
