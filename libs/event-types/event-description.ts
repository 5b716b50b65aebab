import { z } from 'zod';

/** Whose chain an event belongs to: its operation's, the platform's, either (by its subject), or no chain at all. */
export type EventChain = 'operation' | 'platform' | 'operation or platform' | 'none';

/**
 * The description of an event type. docs/events.md is generated from it, and a test checks what the service writes
 * against it.
 */
export interface EventDescription {
  /** Past tense with a version. When the meaning of `data` changes, the version changes. */
  readonly type: string;
  /** What happened and when the event is written, in sentences. */
  readonly what: string;
  readonly chain: EventChain;
  /** Possible values of `subject.type`. */
  readonly subjects: readonly [string, ...string[]];
  /** What `subject.id` is. */
  readonly subjectId: string;
  /** Possible values of `actor.type`. */
  readonly actors: readonly ('user' | 'service' | 'client' | 'resource-server' | 'system')[];
  /** The queue whose work must follow the event. */
  readonly followUp?: FollowUpQueue;
  /** The last version of Latchkey that wrote this type; undefined for current types. Old events stay readable. */
  readonly writtenUntil?: string;
  /** Schema of `data`. Each member has a description and an example. */
  readonly data: z.ZodObject;
}

/** A queue for work that follows an event. */
export type FollowUpQueue = 'token-purge';

/** A member of `data`, described. */
export function member<T extends z.ZodType>(schema: T, description: string, example: unknown): T {
  return schema.meta({ description, example });
}

export const text = z.string();
export const instant = z.iso.datetime({ precision: 3 });
export const count = z.number().int().min(0);
export const texts = z.array(z.string());
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const FIRST_VERSION = '0.1.0';

/**
 * A type that version 0.1.0 wrote and that a newer version of the type has replaced. No class: it is never written
 * again.
 */
export function retired(event: EventDescription): EventDescription {
  return { ...event, writtenUntil: FIRST_VERSION };
}

/** Schema of `data` of a change: the attributes that differ, before and after it. */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- inferred from the attributes
export function beforeAndAfter<S extends z.ZodRawShape>(attributes: S, before: object, after: object) {
  const differing = z.strictObject(attributes).partial();
  return z.strictObject({
    before: differing.meta({ description: 'The attributes that differ, as they were.', example: before }),
    after: differing.meta({ description: 'The same attributes, as they are from this event on.', example: after }),
  });
}

/** Schema of `data` of a change as version 0.1.0 wrote it: new values only. */
export function changedTo(attributes: z.ZodRawShape, example: object): z.ZodObject {
  const differing = z.strictObject(attributes).partial();
  return z.strictObject({ changed: member(differing, 'The attributes that differ, with their new values.', example) });
}

/** Id of a first secret, which events of the first version did not hold. */
export const firstSecretId = member(
  text.optional(),
  `Id of its first secret; not the secret. Absent in events of version ${FIRST_VERSION}.`,
  'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
);

/** `data` of a rotation. */
export const rotation = z.strictObject({
  secretId: member(text, 'Id of the new secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2c'),
  previousSecretId: member(
    text.nullable(),
    'Id of the previous current secret; null if no secret was live.',
    'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  ),
  previousEndsAt: member(
    instant.nullable(),
    'When the previous secret ends; the time of this event if it ended immediately.',
    '2026-11-23T10:30:00.000Z',
  ),
  endedSecretIds: member(texts, 'Ids of the secrets that ended immediately.', []),
  compromised: member(z.boolean(), 'Whether the old secrets were reported as compromised.', false),
});

/** `data` of the end of a leaked secret. */
export const revocationOfSecret = z.strictObject({
  secretId: member(text, 'Id of the leaked secret; not the secret.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  remainingSecretId: member(
    text.nullable(),
    'Id of the secret that is still live; null if there is none, until the next rotation.',
    null,
  ),
});

/** Present in events of what was ended because it had leaked. */
export const leaked = member(z.literal(true).optional(), 'Present if it had leaked (`POST /v1/leaks`).', true);

/** Present in events of what was deleted a second time because a restored backup had revived it. */
export const reconciled = member(
  z.literal(true).optional(),
  'Present if a restored backup had brought it back after its deletion (`latchkey reconcile`).',
  true,
);

/** `data` of the end of one secret. */
export const endOfSecret = z.strictObject({
  secretId: member(text, 'Id of the secret that ended.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  remainingSecretId: member(text, 'Id of the secret that is current now.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2c'),
  remainingEndsAt: member(instant.nullable(), 'When the remaining secret ends; null for never.', null),
});
