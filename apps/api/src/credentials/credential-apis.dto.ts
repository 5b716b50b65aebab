import { z } from 'zod';
import { apiKeys } from './credentials.dto.ts';

export const setApisBody = z.strictObject({ apis: apiKeys }).meta({
  id: 'SetApis',
  description: 'All that the credential may call from now on.',
  example: { apis: ['invoices'] },
});
export type SetApisBody = z.output<typeof setApisBody>;

export const changeApisBody = z
  .strictObject({ add: z.optional(apiKeys), remove: z.optional(apiKeys) })
  .check((context) => {
    const added = new Set(context.value.add);
    context.value.remove?.forEach((key, index) => {
      if (!added.has(key)) return;
      context.issues.push({
        code: 'custom',
        input: key,
        path: ['remove', index],
        message: 'The API is to be added as well: say one of the two.',
        params: { code: 'conflict' },
      });
    });
  })
  .meta({
    id: 'ChangeApis',
    description: 'What is there already, or not there, stays as it is. No key may be in both.',
    example: { add: ['invoices'], remove: [] },
  });
export type ChangeApisBody = z.output<typeof changeApisBody>;

export const apiListAnswer = z
  .object({
    items: z.array(
      z.object({
        key: z.string().meta({ example: 'invoices', description: 'The scope value that grants it.' }),
        name: z.string().meta({ example: 'Invoices' }),
        description: z.string().meta({ example: 'Reads and writes invoices.' }),
        added: z.boolean().meta({ example: true, description: 'Whether the credential may call it.' }),
      }),
    ),
  })
  .meta({
    id: 'ApiList',
    description: 'By key: what the credential may call, marked as added, and what its operation lets be added.',
  });
