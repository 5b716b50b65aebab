import { z } from 'zod';

/** The chain of a type's events: its operation's, the platform's, that of what it is about, or none. */
export type ChainOfType = 'operation' | 'platform' | 'operation or platform' | 'none';

/** A type of events, for docs/events.md and for the test that holds the service to it. */
export interface EventDescription {
  /** Past tense, with a version: a change of the meaning of `data` is a new version. */
  readonly type: string;
  /** What happened, and when it is told; ends with a full stop. */
  readonly what: string;
  readonly chain: ChainOfType;
  /** `subject.type`. */
  readonly subjects: readonly string[];
  /** What `subject.id` is. */
  readonly subjectId: string;
  /** `actor.type`. */
  readonly actors: readonly ('user' | 'client' | 'resource-server' | 'system')[];
  /** The last version of Latchkey that wrote this type; undefined while it is written. Old events are kept and read for ever. */
  readonly writtenUntil?: string;
  /** What `data` holds. Each member has a description and an example. */
  readonly data: z.ZodObject;
}

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

/** A type that the first version wrote, and that a later version of the type has replaced. */
export function replaced(event: EventDescription): EventDescription {
  return { ...event, writtenUntil: FIRST_VERSION };
}

/** `data` of a change: attributes that differ, as they were and as they are from this event on. */
export function beforeAndAfter(attributes: z.ZodRawShape, before: object, after: object): z.ZodObject {
  const differing = z.strictObject(attributes).partial();
  return z.strictObject({
    before: member(differing, 'The attributes that differ, as they were.', before),
    after: member(differing, 'The same attributes, as they are from this event on.', after),
  });
}

/** `data` of a change as the first version wrote it: new values only. */
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
    'Id of the secret that was current before; null when none was live.',
    'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  ),
  previousEndsAt: member(
    instant.nullable(),
    'When that one ends: the time of this event when it ended immediately.',
    '2026-11-23T10:30:00.000Z',
  ),
  endedSecretIds: member(texts, 'Ids of the secrets that ended immediately.', []),
  compromised: member(z.boolean(), 'Whether the old secrets were reported as compromised.', false),
});

/** `data` of the end of one secret. */
export const endOfSecret = z.strictObject({
  secretId: member(text, 'Id of the secret that ended.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  remainingSecretId: member(text, 'Id of the secret that is current now.', 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2c'),
  remainingEndsAt: member(instant.nullable(), 'When that one ends; null for never.', null),
});
