import { z } from 'zod';
import { apiKeys } from '../credentials/credentials.dto.ts';

const mode = {
  all: z.literal('all').meta({ description: 'Every API of the catalogue, also those to come.' }),
  listed: z.literal('listed').meta({ description: 'Only those of the list.' }),
};

export const setOperationApisBody = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: mode.all }).meta({ id: 'EveryApi' }),
    z.strictObject({ mode: mode.listed, apis: apiKeys }).meta({ id: 'ListedApis' }),
  ])
  .meta({
    id: 'SetOperationApis',
    description: 'All that credentials of the operation may be granted from now on.',
    example: { mode: 'listed', apis: ['invoices'] },
  });
export type SetOperationApisBody = z.output<typeof setOperationApisBody>;

export const operationApisAnswer = z
  .discriminatedUnion('mode', [
    z.object({ mode: mode.all }).meta({ id: 'MayUseEveryApi' }),
    z
      .object({ mode: mode.listed, apis: z.array(z.string()).meta({ description: 'Keys of APIs, sorted.' }) })
      .meta({ id: 'MayUseListedApis' }),
  ])
  .meta({
    id: 'OperationApis',
    description: 'What credentials of the operation may be granted.',
    example: { mode: 'listed', apis: ['invoices'] },
  });
