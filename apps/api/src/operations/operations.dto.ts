import { z } from 'zod';
import { idField, nameField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const requireAllowedIps = z.boolean().meta({
  description: 'Whether every credential of the operation must name the addresses that it may be used from.',
});

export const createOperationBody = z
  .strictObject({ name: nameField, requireAllowedIps: requireAllowedIps.default(false) })
  .meta({ example: { name: 'Billing', requireAllowedIps: false } });
export type CreateOperationBody = z.output<typeof createOperationBody>;

export const editOperationBody = z
  .strictObject({ name: nameField.optional(), requireAllowedIps: requireAllowedIps.optional() })
  .meta({ example: { requireAllowedIps: true } });
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
    id: idField('op_019a', 'Opaque id.'),
    name: z.string().meta({ example: 'Billing' }),
    requireAllowedIps,
    credentialLimit: z.number().int().meta({ example: 10 }),
    credentialCount: z.number().int().meta({ example: 3 }),
    createdAt: timeField,
    updatedAt: timeField,
  })
  .meta({ id: 'Operation', description: 'A business unit, which holds up to ten credentials.' });
export const operationPage = pageOf(operationAnswer);
