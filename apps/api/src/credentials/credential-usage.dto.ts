import { z } from 'zod';
import { timeField, timeInput } from '../http/fields.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How long counts are kept. */
const MAX_DAYS = 90;
const DEFAULT_DAYS = { hour: 1, day: 30 } as const;

const time = timeInput('Give a time as RFC 3339 with an offset, such as 2026-11-28T00:00:00Z.');
const moment = (description: string): z.ZodType<Date | undefined> =>
  time.optional().meta({ type: 'string', format: 'date-time', description, example: '2026-11-28T00:00:00Z' });

export const usageQuery = z
  .strictObject({
    from: moment('The begin of the period. Default: 24 hours before `to`, or with `bucket=day` 30 days before.'),
    to: moment('The end of the period. Default: now.'),
    bucket: z
      .enum(['hour', 'day'], 'must be hour or day')
      .default('hour')
      .meta({ description: 'Whether the counts are given by the hour or by the day (UTC).' }),
  })
  .transform(({ from, to, bucket }, context) => {
    const end = to ?? new Date();
    const begin = from ?? new Date(end.getTime() - DEFAULT_DAYS[bucket] * DAY_MS);
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', path: ['from'], message, params: { code: 'invalid' } });
      return z.NEVER;
    };
    if (begin >= end) return refuse('must be before `to`');
    if (end.getTime() - begin.getTime() > MAX_DAYS * DAY_MS) {
      return refuse(`must be at most ${MAX_DAYS} days before \`to\`: counts are kept for ${MAX_DAYS} days`);
    }
    return { from: begin, to: end, bucket };
  });
export type UsageParameters = z.output<typeof usageQuery>;

const count = z.int().meta({ example: 12 });
const lastSeenAt = timeField.meta({ description: 'When it was seen last in the period.' });

export const usageAnswer = z
  .object({
    from: timeField.meta({ description: 'The begin of the first bucket: `from`, rounded down.' }),
    to: timeField.meta({ description: 'The end of the last bucket: `to`, rounded up.' }),
    buckets: z
      .array(
        z.object({
          at: timeField.meta({ description: 'The begin of the hour or day (UTC).' }),
          issued: count.meta({ description: 'Access tokens issued.' }),
          used: count.meta({ description: 'Introspections and forward-auth calls that said yes to a token of it.' }),
          refused: count.meta({ description: 'Refusals; `refusals` has the reasons.' }),
        }),
      )
      .meta({ description: 'Every hour or day of the period, oldest first, also those without use.' }),
    lastUsedAt: timeField.nullable().meta({ description: 'When a token was last issued or used in the period.' }),
    addresses: z
      .array(
        z.object({
          address: z.string().meta({
            example: '192.0.2.7',
            description:
              'Where tokens were asked for or used. `other` stands for those beyond 50 a day, `unknown` for uses of which the ' +
              'resource server did not send the address.',
          }),
          count,
          lastSeenAt,
        }),
      )
      .meta({
        description: 'Addresses of issued and used tokens, the most frequent first. Refusals are not included.',
      }),
    apis: z.array(z.object({ api: z.string().meta({ example: 'invoices' }), count, lastSeenAt })).meta({
      description:
        'APIs that tokens were used for. Forward-auth counts the API that it was asked about; introspection counts each API ' +
        'that its answer names.',
    }),
    secrets: z
      .array(
        z.object({
          secretId: z.string().meta({ example: 'se_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b' }),
          count: count.meta({ description: 'Tokens that were issued for it.' }),
          lastSeenAt: lastSeenAt.nullable(),
          live: z.boolean().meta({ description: 'Whether it is valid now.' }),
        }),
      )
      .meta({ description: 'Secrets that were used, and live ones that were not (`count` 0).' }),
    refusals: z
      .array(z.object({ reason: z.string().meta({ example: 'address' }), count }))
      .meta({ description: 'Refused sign-ins, token requests and genuine tokens, by reason.' }),
    recordedSince: timeField.meta({ description: 'When recording began. Nothing is known about earlier use.' }),
    note: z
      .string()
      .meta({ example: 'Counts may be 10 seconds late. A crash of an instance may lose its last 10 seconds.' }),
  })
  .meta({ id: 'CredentialUsage', description: 'What a credential was used for, as all instances counted it.' });
