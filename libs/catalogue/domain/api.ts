import { ApiCreated, ApiDeleted, ApiRemovalStarted, ApiUpdated } from '#event-types';
import { Aggregate, DomainError, differences } from '#kernel';
import type { CallContext } from '#kernel';

/**
 * A running removal by force: it takes the API from everything that names it, in parts
 * (docs/adr/0044-removing-an-api.md).
 */
export interface ApiRemoval {
  readonly startedAt: Date;
  /** The caller who started it: every event of the removal names them, whichever instance finishes it. */
  readonly context: Pick<CallContext, 'actor' | 'requestId'>;
  /** Credentials that could call the API when the removal started. */
  readonly credentialsTotal: number;
  /** The number of these that still can. */
  readonly credentialsLeft: number;
  /** When an instance last worked on it. */
  readonly workedAt: Date;
}

/** The state of an API of the catalogue. `key` is the scope value that grants it, and never changes. */
export interface ApiState {
  readonly key: string;
  name: string;
  description: string;
  removal: ApiRemoval | null;
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
    const api = new Api({ key, name, description, removal: null, version: 1, createdAt: at, updatedAt: at });
    api.record(new ApiCreated(api.target, { name, description }));
    return api;
  }

  /**
   * Changes the given attributes. An edit that changes nothing emits no event.
   *
   * @returns whether it changed
   * @throws DomainError `api-being-removed`
   */
  edit(changes: ApiChanges, at: Date): boolean {
    const { state } = this;
    if (state.removal !== null) {
      throw new DomainError('api-being-removed', 'It can no longer be changed. Wait until the removal is complete.');
    }
    const { name = state.name, description = state.description } = changes;
    const difference = differences({ name: state.name, description: state.description }, { name, description });
    if (difference === undefined) return false;
    Object.assign(state, { name, description, version: state.version + 1, updatedAt: at });
    this.record(new ApiUpdated(this.target, difference));
    return true;
  }

  /**
   * Starts the removal. From this commit on, it can no longer be granted. The version stays, so that the same request
   * can be repeated.
   */
  startRemoval({ actor, requestId }: CallContext, credentials: number, at: Date): void {
    this.state.removal = {
      startedAt: at,
      context: { actor, requestId },
      credentialsTotal: credentials,
      credentialsLeft: credentials,
      workedAt: at,
    };
    this.record(new ApiRemovalStarted(this.target, { name: this.state.name, credentials }));
  }

  /** Records the deletion. The same transaction checks that nothing uses it any more. */
  delete(): void {
    this.record(new ApiDeleted(this.target, { name: this.state.name }));
  }

  private get target(): { readonly id: string } {
    return { id: this.state.key };
  }
}
