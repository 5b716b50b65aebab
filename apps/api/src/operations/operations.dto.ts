import { z } from 'zod';
import { idField, nameField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const requireAllowedIps = z.boolean().meta({
  description: 'Whether every credential of the operation must name the addresses that it may be used from.',
});

export const createOperationBody = z
  .strictObject({ name: nameField, requireAllowedIps: requireAllowedIps.default(false) })
  .meta({ id: 'CreateOperation', example: { name: 'Billing', requireAllowedIps: false } });
export type CreateOperationBody = z.output<typeof createOperationBody>;

export const editOperationBody = z
  .strictObject({
    name: nameField.optional(),
    requireAllowedIps: requireAllowedIps.optional(),
    enforce: z
      .enum(['new'])
      .optional()
      .meta({
        description:
          '`new` applies a new rule to what is written from now on only: credentials that break it stay as they are. Without it ' +
          'such an edit is refused.',
      }),
  })
  .meta({
    id: 'EditOperation',
    description: 'Members that are left out stay as they are; an empty object changes nothing.',
    example: { name: 'Billing and invoicing' },
  });
export type EditOperationBody = z.output<typeof editOperationBody>;

export const listOperationsQuery = z.strictObject({
  ...pageQuery,
  name: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Only those whose name contains this, taken literally, in any case.' }),
});
export type ListOperationsParameters = z.output<typeof listOperationsQuery>;

export const operationAnswer = z
  .object({
    id: idField('op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    name: z.string().meta({ example: 'Billing' }),
    requireAllowedIps,
    credentialLimit: z.int().meta({ example: 10, description: 'How many credentials it may hold.' }),
    credentialCount: z.int().meta({ example: 3, description: 'How many it holds, disabled ones included.' }),
    createdAt: timeField,
    updatedAt: timeField,
  })
  .meta({ id: 'Operation', description: 'A business unit, which holds up to ten credentials.' });
export const operationPage = pageOf(operationAnswer).meta({
  id: 'OperationPage',
  description: 'A page of operations.',
});
