import { z } from 'zod';
import { idField, timeField } from './fields.ts';

/** The member of an answer that holds a new secret, and the member that is the user name to it. */
const USER_NAMES = { clientSecret: 'clientId', resourceServerSecret: 'id' } as const;
export type SecretMember = keyof typeof USER_NAMES;

/** The members with the secret right after the user name that it belongs to, where a reader looks for it. */
export function withSecret<T>(members: Readonly<Record<string, T>>, member: SecretMember, secret: T): Record<string, T>;
export function withSecret(members: object, member: SecretMember, secret: string | null): object;
export function withSecret(members: object, member: SecretMember, secret: unknown): object {
  return Object.fromEntries(
    Object.entries(members).flatMap((entry: [string, unknown]) =>
      entry[0] === USER_NAMES[member] ? [entry, [member, secret]] : [entry],
    ),
  );
}

/** How long the old secret stays valid, and what becomes of older ones: the body of a rotation. @param ended by a compromise */
export function rotationMembers(ended: string): {
  overlapSeconds: z.ZodDefault<z.ZodInt>;
  endOldest: z.ZodDefault<z.ZodBoolean>;
  compromised: z.ZodDefault<z.ZodBoolean>;
} {
  return {
    overlapSeconds: z.int().min(0).max(604_800).default(0).meta({
      description:
        'How long the secret that is replaced stays valid, in seconds: up to seven days. 0 ends it immediately.',
    }),
    endOldest: z
      .boolean()
      .default(false)
      .meta({
        description:
          'While two secrets are live: ends the older one immediately. Without it the rotation is refused then (409). ' +
          'Without effect while only one is live.',
      }),
    compromised: z
      .boolean()
      .default(false)
      .meta({ description: `Ends ${ended} immediately, whatever the overlap.` }),
  };
}

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
      expiresAt: timeField.nullable().meta({ description: 'When it ends; null for never, until it is rotated.' }),
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

/** A secret in a list of secrets. */
export const listedSecret = z
  .object({
    ...secretSchema('').shape,
    current: z.boolean().meta({ example: true, description: 'Whether it is the newest live one.' }),
  })
  .meta({ id: 'LiveSecret', description: 'What is kept of a live secret and may be told.' });

/** The live secrets of a credential or resource server. */
export const secretListAnswer = z
  .object({ items: z.array(listedSecret).max(2) })
  .meta({ id: 'SecretList', description: 'Its live secrets, at most two, the current one first.' });
