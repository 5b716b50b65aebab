import { z } from 'zod';
import { ATTENTION_KINDS, SEVERITIES } from '#attention';
import { pageOf, timeField, timeInput } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const kind = z.enum(ATTENTION_KINDS).meta({
  example: 'apis-unused',
  description:
    '`credential-expiring`, `secret-expiring`: it ends within 30 days. `rotation-ending-in-use`: the old secret of a rotation ' +
    'ends, and a client still uses it. `credential-unused`: no token for 90 days. `unrestricted-ips`: no Allowed IPs. ' +
    '`policy-violated`: it breaks a rule of its operation. `apis-unused`: APIs were granted and not called for 90 days. ' +
    '`refusals-rising`: many more refusals by address or token limit than in the week before. `job-failed`, ' +
    '`chain-unverified`, `signing-key-missing`: of the service and its event log.',
});
const severity = z.enum(SEVERITIES).meta({ example: 'info', description: '`critical` first.' });
const operationId = z.string().min(1).max(64);

export const listAttentionQuery = z.strictObject({
  ...pageQuery,
  operationId: operationId.optional().meta({ description: 'Only this operation.' }),
  kind: kind.optional().meta({ description: 'Only items of this kind.' }),
  severity: severity.optional().meta({ description: 'Only items of this severity.' }),
  endsBefore: timeInput('Give a time as RFC 3339 with an offset, such as 2027-01-31T12:00:00Z.').optional().meta({
    type: 'string',
    format: 'date-time',
    description: 'Only what ends before this moment.',
    example: '2026-12-12T00:00:00Z',
  }),
});
export type ListAttentionParameters = z.output<typeof listAttentionQuery>;

const fix = z
  .object({
    method: z.enum(['PATCH', 'POST', 'DELETE']),
    path: z.string().meta({
      example:
        '/v1/operations/op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b/credentials/cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b/apis',
      description: 'Below the URL of this service.',
    }),
    ifMatch: z.string().optional().meta({
      example: '"v3"',
      description: 'The header If-Match: 412 if the thing was changed after this list was read.',
    }),
    body: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ example: { remove: ['orders'] }, description: 'The JSON body; absent if the call has none.' }),
    effect: z
      .string()
      .meta({ example: 'Takes these APIs away, also from its live tokens.', description: 'What the call does.' }),
  })
  .nullable()
  .meta({
    description:
      'A call of this API after which the item is gone; null if there is none, and `detail` says what to do.',
  });

const item = z
  .object({
    kind,
    severity,
    operationId: z.string().nullable().meta({ description: 'Null for the platform.' }),
    subject: z.object({
      type: z.enum(['credential', 'chain', 'job', 'service']),
      id: z.string().meta({ example: 'cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b' }),
      name: z.string().nullable().meta({ example: 'Nightly invoices' }),
    }),
    since: timeField.meta({ description: 'It has been so since then, or longer.' }),
    until: timeField.optional().meta({ description: 'When it ends, for what ends.' }),
    detail: z.string().meta({ description: 'What is wrong, and what to do.' }),
    fix,
  })
  .meta({ id: 'AttentionItem', description: 'Something that needs a person.' });

export const attentionPage = pageOf(item).extend({
  unchecked: z
    .array(z.object({ kind, detail: z.string().meta({ description: 'Why, and from when on it can be judged.' }) }))
    .meta({ description: 'Kinds that cannot be judged at the moment, so that their absence means nothing.' }),
});
