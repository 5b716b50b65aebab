import { z } from 'zod';
import { idField, pageOf, timeField, timeInput } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

export const apiCredentialsQuery = z.strictObject({
  ...pageQuery,
  at: timeInput('Give a time as RFC 3339 with an offset, such as 2027-01-31T12:00:00Z.')
    .optional()
    .meta({ format: 'date-time', description: 'A moment in the past; leave it out for now.' }),
});
export type ApiCredentialsParameters = z.output<typeof apiCredentialsQuery>;

const text = (description: string, example: string): z.ZodNullable<z.ZodString> =>
  z.string().nullable().meta({ description, example });

const apiCredential = z
  .object({
    id: idField('cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the credential.'),
    operationId: idField('op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Its operation.'),
    name: text('Its name at that moment.', 'Nightly invoices'),
    clientId: text('Its client id.', 'lk_ci_0a1B2c3D4e5F6g7H8i9J0k1L'),
    owner: text('Its owner at that moment.', 'Billing platform team'),
    contact: text('Its contact at that moment.', 'billing@example.com'),
    allowedIps: z
      .array(z.string())
      .nullable()
      .meta({ description: 'From where it could; empty for anywhere, null when unknown.', example: ['192.0.2.0/24'] }),
    expiresAt: timeField.nullable().meta({ description: 'When it was to expire; null for never.' }),
    deletedAt: timeField.nullable().meta({ description: 'When it was deleted since that moment; null if it was not.' }),
    certain: z.boolean().meta({
      description:
        'False if the events that would tell are archived: it existed then, and may or may not have been able to call the API.',
    }),
  })
  .meta({
    id: 'ApiCredential',
    description: 'A credential that may call the API, or could at the moment asked about.',
  });

export const apiCredentialPage = pageOf(apiCredential).meta({
  id: 'ApiCredentialPage',
  description: 'A page of credentials that may call an API.',
});
