import { z } from 'zod';
import { nameFilter, timeInput } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';
import { apiKey, status } from './credentials.dto.ts';

const LABEL = /^([a-z0-9][a-z0-9._-]{0,62}):(.{0,200})$/su;
const time = timeInput('Give a time as RFC 3339 with an offset, such as 2027-01-31T12:00:00Z.');

export const searchCredentialsQuery = z.strictObject({
  ...pageQuery,
  clientId: z.string().min(1).max(64).optional().meta({ description: 'Only the one with this client id.' }),
  name: nameFilter,
  api: apiKey.optional().meta({ description: 'Only those that may call the API with this key.' }),
  owner: z
    .string()
    .min(1)
    .max(200)
    .transform((text) => text.normalize('NFC'))
    .optional()
    .meta({ type: 'string', description: 'Only those with exactly this owner.' }),
  label: z
    .string()
    .transform((text, context) => {
      const [, key, value] = LABEL.exec(text.normalize('NFC')) ?? [];
      if (key !== undefined && value !== undefined) return { key, value };
      context.addIssue({ code: 'custom', message: 'Give a label as key:value, such as env:prod.' });
      return z.NEVER;
    })
    .optional()
    .meta({ type: 'string', description: 'Only those with this label, as `key:value`.', example: 'env:prod' }),
  status: status.optional().meta({ description: 'Only those of this status.' }),
  unusedSince: time
    .optional()
    .meta({ format: 'date-time', description: 'Only those made before this moment and not used since.' }),
  expiresBefore: time
    .optional()
    .meta({ format: 'date-time', description: 'Only those that expire before this moment.' }),
  unrestrictedIps: z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .optional()
    .meta({ type: 'boolean', description: 'Only those without (`true`) or with (`false`) Allowed IPs.' }),
});
export type SearchCredentialsParameters = z.output<typeof searchCredentialsQuery>;
