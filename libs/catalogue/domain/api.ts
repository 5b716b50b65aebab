import { ApiCreated, ApiDeleted, ApiUpdated } from '#event-types';
import { Aggregate, differences } from '#kernel';

/** The state of an API of the catalogue. `key` is the scope value that grants it, and never changes. */
export interface ApiState {
  readonly key: string;
  name: string;
  description: string;
  version: number;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface ApiChanges {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
}

/** An API that credentials can be allowed to use. */
export class Api extends Aggregate {
  constructor(readonly state: ApiState) {
    super();
  }

  static create(key: string, name: string, description: string, at: Date): Api {
    const api = new Api({ key, name, description, version: 1, createdAt: at, updatedAt: at });
    api.record(new ApiCreated(api.target, { name, description }));
    return api;
  }

  /** Changes what is given. An edit that changes nothing emits no event. @returns whether it changed */
  edit(changes: ApiChanges, at: Date): boolean {
    const { state } = this;
    const { name = state.name, description = state.description } = changes;
    const difference = differences({ name: state.name, description: state.description }, { name, description });
    if (difference === undefined) return false;
    Object.assign(state, { name, description, version: state.version + 1, updatedAt: at });
    this.record(new ApiUpdated(this.target, difference));
    return true;
  }

  /** Records the deletion; that nothing uses it any more is checked in the same transaction. */
  delete(): void {
    this.record(new ApiDeleted(this.target, { name: this.state.name }));
  }

  private get target(): { readonly id: string } {
    return { id: this.state.key };
  }
}
