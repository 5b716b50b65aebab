import { z } from 'zod';

/** Where an event of a type stands: in its operation's chain, in the platform's, in that of what it is about, or in none. */
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
