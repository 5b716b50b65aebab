import type { DomainEventData } from './domain-event-data.ts';

/** Who did it: a person, a service user, a client, a resource server or the service itself. */
export interface Actor {
  readonly type: 'user' | 'service' | 'client' | 'resource-server' | 'system';
  readonly id: string;
  readonly ip: string | null;
}

/** The context that every command carries from its transport to the event log. */
export interface CallContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** Id of the Idempotency-Key reservation. The unit of work completes it in the transaction of the change. */
  readonly idempotencyId?: string;
  /** Makes this a dry run: the unit of work shows it the change, and rolls the change back. */
  readonly dryRun?: DryRunObserver;
}

/** Looks at the change of a dry run. */
export interface DryRunObserver {
  /** @param transaction of the unit of work, which still shows the change. May be called more than once */
  observe(transaction: unknown): Promise<void>;
}

/** The object that an event is about. */
export interface Subject {
  readonly type: string;
  readonly id: string;
}

/** Something that happened, as recorded by an aggregate. The event log adds actor, time and chain. */
export class DomainEvent {
  /**
   * @param type past tense with a version, such as `credential.deleted.v1`
   * @param operationId the operation whose chain gets the event; null for the platform chain
   */
  constructor(
    readonly type: string,
    readonly operationId: string | null,
    readonly subject: Subject,
    readonly data: DomainEventData = {},
    readonly outcome: 'success' | 'refused' | 'failed' = 'success',
  ) {}
}
