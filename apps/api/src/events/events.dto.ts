import { z } from 'zod';
import { idField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const idFilter = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\w.:@-]+$/, 'must be an id');
const timeFilter = z.iso
  .datetime({ offset: true, error: 'must be a time of RFC 3339, as 2026-11-23T09:30:00Z' })
  .transform((text) => new Date(text));

export const operationFilter = idFilter.optional().meta({
  description: 'Only events of this operation; `platform` for those that belong to none.',
  example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
});
export const fromFilter = timeFilter.optional().meta({
  type: 'string',
  format: 'date-time',
  description: 'From this time on.',
  example: '2026-11-01T00:00:00Z',
});
export const toFilter = timeFilter.optional().meta({
  type: 'string',
  format: 'date-time',
  description: 'Before this time.',
  example: '2026-12-01T00:00:00Z',
});

export const listEventsQuery = z.strictObject({
  ...pageQuery,
  operationId: operationFilter,
  type: idFilter.optional().meta({ description: 'Only this type.', example: 'credential.deleted.v1' }),
  actor: idFilter.optional().meta({ description: 'Only what this one did: an id of a user or a client id.' }),
  subject: idFilter.optional().meta({ description: 'Only what was done to this: an id of a credential, say.' }),
  from: fromFilter,
  to: toFilter,
});
export type ListEventsParameters = z.output<typeof listEventsQuery>;

const hash = z.string().nullable().meta({ description: 'Lower-case hexadecimal SHA-256; null outside the chains.' });

export const eventAnswer = z
  .object({
    id: idField('ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Opaque id.'),
    seq: z.number().int().nullable().meta({ description: 'Place in its chain, from 1; null outside the chains.' }),
    operationId: z.string().nullable().meta({ description: 'Whose chain it belongs to; null for the platform.' }),
    type: z.string().meta({ example: 'credential.deleted.v1', description: 'What happened; docs/events.md has all.' }),
    at: timeField,
    actor: z.object({
      type: z.enum(['user', 'client', 'resource-server', 'system']),
      id: z.string(),
      ip: z.string().nullable(),
    }),
    subject: z.object({ type: z.string(), id: z.string() }),
    outcome: z.enum(['success', 'refused', 'failed']),
    data: z.record(z.string(), z.unknown()),
    requestId: z.string().nullable(),
    prevHash: hash,
    hash,
  })
  .meta({ id: 'Event', description: 'An event of the log. docs/event-log-format.md says how to verify it.' });
export const eventPage = pageOf(eventAnswer);
