import { z } from 'zod';
import { idField, timeField } from './fields.ts';

/** What is told of a stored secret. @param id of the schema in the OpenAPI document */
export function secretSchema(id: string): z.ZodObject<{
  id: z.ZodString;
  createdAt: z.ZodString;
  expiresAt: z.ZodNullable<z.ZodString>;
  lastUsedAt: z.ZodNullable<z.ZodString>;
}> {
  return z
    .object({
      id: idField('se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
      createdAt: timeField,
      expiresAt: timeField.nullable().meta({ description: 'When an old secret ends; null for the current one.' }),
      lastUsedAt: timeField.nullable().meta({ description: 'When it last signed in, to the minute; null for never.' }),
    })
    .meta({ id, description: 'What is kept of a secret and may be told. The secret itself is stored nowhere.' });
}

/** A new secret, in the one answer that has it. @param prefix of its kind */
export function shownSecret(prefix: string): z.ZodString {
  return z.string().meta({
    example: `${prefix}…`,
    description: `The secret, shown this once: \`${prefix}\`, 43 base62 characters and 6 of a checksum. Keep it now.`,
  });
}

/** Its place in the answer to a repeated request. */
export const unrepeatedSecret = z.null().meta({ description: 'Always null: the secret is stored nowhere.' });

/** What such an answer says besides. */
export const replayNotice = z
  .string()
  .meta({ description: 'Says that this is a replay, and what to do when the secret was lost.' });
