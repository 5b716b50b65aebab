import { z } from 'zod';
import { idField, timeField } from './fields.ts';

/** The member of an answer that holds a new secret, and the member that is the user name to it. */
const USER_NAMES = { clientSecret: 'clientId', resourceServerSecret: 'id', apiKey: 'id' } as const;
export type SecretMember = keyof typeof USER_NAMES;

/** Inserts the secret right after its user name, where a reader expects it. */
export function withSecret<T>(members: Readonly<Record<string, T>>, member: SecretMember, secret: T): Record<string, T>;
export function withSecret(members: object, member: SecretMember, secret: string | null): object;
export function withSecret(members: object, member: SecretMember, secret: unknown): object {
  return Object.fromEntries(
    Object.entries(members).flatMap((entry: [string, unknown]) =>
      entry[0] === USER_NAMES[member] ? [entry, [member, secret]] : [entry],
    ),
  );
}

/** The body of a rotation. @param ended the secrets that `compromised` ends */
export function rotationMembers(ended: string): {
  overlapSeconds: z.ZodDefault<z.ZodInt>;
  endOldest: z.ZodDefault<z.ZodBoolean>;
  compromised: z.ZodDefault<z.ZodBoolean>;
} {
  return {
    overlapSeconds: z.int().min(0).max(604_800).default(0).meta({
      description: 'How long the replaced secret stays valid, in seconds: up to seven days. 0 ends it immediately.',
    }),
    endOldest: z
      .boolean()
      .default(false)
      .meta({
        description:
          'If two secrets are live, ends the older one immediately; without it, the rotation is refused (409). ' +
          'Has no effect while only one is live.',
      }),
    compromised: z
      .boolean()
      .default(false)
      .meta({ description: `Ends ${ended} immediately, regardless of the overlap.` }),
  };
}

/** A stored secret as shown to callers. @param id of the schema in the OpenAPI document */
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
      expiresAt: timeField.nullable().meta({ description: 'When it expires; null if it does not expire.' }),
      lastUsedAt: timeField.nullable().meta({ description: 'When it was last used, to the minute; null if never.' }),
    })
    .meta({ id, description: 'Metadata of a secret. The secret itself is not stored.' });
}

/** A new secret in the only answer that contains it. @param prefix of its kind */
export function shownSecret(prefix: string): z.ZodString {
  return z.string().meta({
    example: `${prefix}…`,
    description: `The secret, shown only once: \`${prefix}\`, 43 base62 characters and a checksum of 6. Store it now.`,
  });
}

/** The secret's member in a replayed answer. */
export const unrepeatedSecret = z.null().meta({ description: 'Always null, because the secret is not stored.' });

/** The notice of a replayed answer. */
export const replayNotice = z
  .string()
  .meta({ description: 'Says that this is a replay, and what to do if the secret was lost.' });

/** A secret in a list of secrets. */
export const listedSecret = z
  .object({
    ...secretSchema('').shape,
    current: z.boolean().meta({ example: true, description: 'True for the newest live secret.' }),
  })
  .meta({ id: 'LiveSecret', description: 'Metadata of a live secret.' });

/** The live secrets of a credential or resource server. */
export const secretListAnswer = z
  .object({ items: z.array(listedSecret).max(2) })
  .meta({ id: 'SecretList', description: 'The live secrets, at most two, the current one first.' });
