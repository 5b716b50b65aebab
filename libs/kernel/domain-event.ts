import type { DomainEventData } from './json.ts';

/** Who did it: a person, a client, a resource server or the service itself. */
export interface Actor {
  readonly type: 'user' | 'client' | 'resource-server' | 'system';
  readonly id: string;
  readonly ip: string | null;
}

/** What every command carries from its transport to the event log. */
export interface CallContext {
  readonly actor: Actor;
  readonly requestId: string;
  /** Key of the reservation that an Idempotency-Key made; the unit of work fulfils it with the change. */
  readonly idempotencyId?: string;
}

/** The thing that an event is about. */
export interface Subject {
  readonly type: string;
  readonly id: string;
}

/** Something that happened, as an aggregate tells it; the event log adds who, when, and the chain. */
export class DomainEvent {
  /**
   * @param type past tense with a version, as `credential.deleted.v1`
   * @param operationId whose chain it belongs to; null for the platform's
   */
  constructor(
    readonly type: string,
    readonly operationId: string | null,
    readonly subject: Subject,
    readonly data: DomainEventData = {},
    readonly outcome: 'success' | 'refused' | 'failed' = 'success',
  ) {}
}
