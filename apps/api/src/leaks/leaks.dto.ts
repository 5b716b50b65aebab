import { z } from 'zod';
import { LEAK_KINDS } from '#leaks';
import { idField, timeField } from '../http/fields.ts';

export const reportLeakBody = z
  .strictObject({
    text: z
      .string()
      .transform((text) => text.trim())
      .pipe(z.string().min(1, 'Give the text that was found.').max(4_096, 'Give at most 4096 characters.'))
      .meta({
        type: 'string',
        minLength: 1,
        maxLength: 4_096,
        description:
          'One token or secret, without anything around it but white space. It is stored and logged nowhere.',
      }),
    revoke: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether to end it. That is in force on every instance when the call is answered.' }),
  })
  .meta({ id: 'ReportLeak', example: { text: 'lk_cs_…', revoke: false } });
export type ReportLeakBody = z.output<typeof reportLeakBody>;

const belongsTo = z
  .object({
    type: z.enum(['credential', 'resource-server', 'user']),
    id: idField('cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Its id.'),
    name: z.string().meta({ example: 'Nightly invoices', description: 'Its name; the user name of a user.' }),
    operationId: z
      .string()
      .nullable()
      .meta({ example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', description: 'Its operation; null for the platform.' }),
    owner: z.string().nullable().meta({ example: 'Billing platform team', description: 'Owner of the credential.' }),
    contact: z.string().nullable().meta({ example: 'billing@example.com', description: 'Contact of the credential.' }),
  })
  .nullable()
  .meta({ description: 'Its owner; null if it is unknown, or if you may not see it.' });

export const leakReportAnswer = z
  .object({
    kind: z.enum(LEAK_KINDS).meta({
      description: 'What the text is, by prefix, length and checksum; `none` if it is nothing that Latchkey makes.',
    }),
    id: z.string().nullable().meta({
      example: 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
      description: 'Id of the token, secret, key or session; null if it is not stored any more.',
    }),
    belongsTo,
    live: z.boolean().meta({ description: 'Whether it was still good, or would be if `blocked` were lifted.' }),
    blocked: z
      .enum(['disabled', 'suspended', 'expired', 'too-old'])
      .nullable()
      .meta({
        description:
          'Why it cannot be used at the moment although it may be live: its credential or user is disabled, its operation is ' +
          'suspended, its credential has expired, or the secret is older than the policy of the operation allows.',
      }),
    expiresAt: timeField.nullable().meta({ description: 'When it ends by itself; null for never or unknown.' }),
    revoked: z.boolean().meta({ description: 'Whether this call ended it.' }),
  })
  .meta({ id: 'LeakReport', description: 'What a leaked text is. It never holds the text.' });
