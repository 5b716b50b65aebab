import { z } from 'zod';
import { JUDGED_RULES } from '#access';
import { parseAddress } from '#kernel';
import { timeField, timeInput } from '../http/fields.ts';
import { apiKey } from './credentials.dto.ts';

const addressField = z
  .string()
  .max(64)
  .transform((text, context) => {
    const address = parseAddress(text);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: 'Give an IPv4 or IPv6 address.', params: { code: 'invalid-address' } });
    return z.NEVER;
  })
  .meta({ type: 'string', description: 'The address of the caller.', example: '192.0.2.7' });

export const simulateBody = z
  .strictObject({
    ip: addressField,
    api: apiKey.meta({ description: 'Key of the API to be called.', example: 'invoices' }),
    at: timeInput('Give a time as RFC 3339 with an offset, such as 2026-11-24T12:00:00Z.').optional().meta({
      type: 'string',
      format: 'date-time',
      description: 'A past moment. Omit it for now.',
      example: '2026-11-24T12:00:00Z',
    }),
  })
  .meta({ id: 'Simulate', example: { ip: '192.0.2.7', api: 'invoices' } });
export type SimulateBody = z.output<typeof simulateBody>;

const rule = z.enum(JUDGED_RULES).meta({ description: 'A rule, in the order in which requests are judged.' });

export const simulationAnswer = z
  .object({
    allowed: z.boolean(),
    reason: z.string().nullable().meta({
      description: 'The first refusal, named as in `sign-in.refused.v1`; null if allowed.',
      example: 'address',
    }),
    checks: z.array(
      z.object({ rule, passed: z.boolean(), detail: z.string().meta({ description: 'The result in a sentence.' }) }),
    ),
    at: timeField.meta({ description: 'The moment that was judged.' }),
    events: z
      .array(
        z.object({
          rule,
          id: z.string(),
          seq: z.number().int(),
          hash: z.string().meta({ description: 'SHA-256 of the event, which binds it to the chain.' }),
          type: z.string(),
          at: timeField,
        }),
      )
      .nullable()
      .meta({
        description:
          'With `at`: the events that decided the rules. Those that are archived are missing. Null without `at`.',
      }),
  })
  .meta({ id: 'Simulation' });
