import { z } from 'zod';
import { descriptionField, nameField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const apiKey = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'An API key must have 1 to 64 of the characters a-z 0-9 . _ - and begin with a letter or digit.',
  )
  .meta({ description: 'The scope value that grants the API. It never changes.', example: 'invoices' });

// only the key of an API is unique; its name is for people
const apiName = nameField.meta({
  description: '1 to 100 characters, normalised to NFC; no control, bidirectional or zero-width characters.',
});

export const createApiBody = z
  .strictObject({ key: apiKey, name: apiName, description: descriptionField.default('') })
  .meta({
    id: 'CreateApi',
    example: { key: 'invoices', name: 'Invoices', description: 'Reads and writes invoices.' },
  });
export type CreateApiBody = z.output<typeof createApiBody>;

export const editApiBody = z.strictObject({ name: apiName.optional(), description: descriptionField.optional() }).meta({
  id: 'EditApi',
  description: 'Omitted members stay unchanged; an empty object changes nothing.',
  example: { description: 'Reads, writes and cancels invoices.' },
});
export type EditApiBody = z.output<typeof editApiBody>;

export const listApisQuery = z.strictObject(pageQuery);
export type ListApisParameters = z.output<typeof listApisQuery>;

export const deleteApiQuery = z.strictObject({
  force: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .default(false)
    .meta({
      type: 'boolean',
      description:
        'Whether to remove the API from every credential and resource server that names it, with one event each.',
    }),
});
export type DeleteApiParameters = z.output<typeof deleteApiQuery>;

const removal = z
  .object({
    startedAt: timeField,
    startedBy: z
      .string()
      .meta({ description: 'Id of who asked for it.', example: 'us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b' }),
    credentialsTotal: z
      .int()
      .min(0)
      .meta({ description: 'Credentials that could call it at the start.', example: 1200 }),
    credentialsLeft: z.int().min(0).meta({ description: 'Those that still can.', example: 340 }),
  })
  .nullable()
  .meta({
    description:
      'Its removal by force, while that is under way: it cannot be granted or changed any more. Otherwise null.',
    example: null,
  });

export const apiAnswer = z
  .object({
    key: z.string().meta({ example: 'invoices', description: 'The scope value that grants the API.' }),
    name: z.string().meta({ example: 'Invoices' }),
    description: z.string().meta({ example: 'Reads and writes invoices.' }),
    removal,
    createdAt: timeField,
    updatedAt: timeField,
  })
  .meta({ id: 'Api', description: 'An entry of the catalogue: an API that a credential can be allowed to call.' });
export const apiPage = pageOf(apiAnswer).meta({ id: 'ApiPage', description: 'A page of the catalogue.' });
