import type { z } from 'zod';
import { DomainEvent } from '#kernel';
import type { DomainEventData } from '#kernel';
import type { EventDescription } from './event-description.ts';

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** `data` of an event of this type. */
export type EventData<D extends EventDescription> = DeepReadonly<z.input<D['data']>>;

/** What an event is about: the subject's id and, where the type does not settle it, whose chain it belongs to. */
export type EventTarget<D extends EventDescription> = D['chain'] extends 'platform'
  ? { readonly id: string }
  : { readonly id: string; readonly operationId: D['chain'] extends 'operation' ? string : string | null };

/** The class of one event type. */
export interface EventClass<D extends EventDescription = EventDescription> {
  readonly type: D['type'];
  readonly description: D;
  new (about: EventTarget<D>, data: EventData<D>): DomainEvent;
}

/**
 * The base class of an event: `class CredentialDeleted extends eventType({ … }) {}`.
 * Its data are checked by the compiler, and by a test that parses what the service wrote; not while serving.
 */
export function eventType<const D extends EventDescription>(description: D): EventClass<D> {
  const [subjectType] = description.subjects;
  return class extends DomainEvent {
    static readonly type: D['type'] = description.type;
    static readonly description = description;

    constructor(about: { readonly id: string; readonly operationId?: string | null }, data: EventData<D>) {
      const subject = { type: subjectType, id: about.id };
      super(description.type, about.operationId ?? null, subject, data as DomainEventData);
    }
  };
}
