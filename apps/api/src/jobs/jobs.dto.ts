import { z } from 'zod';
import { CredentialDeleted } from '#event-types';
import { queues } from '#queues';
import type { QueueName } from '#queues';
import { idField, pageOf, timeField } from '../http/fields.ts';
import { pageQuery } from '../http/pages.ts';

const queueName = z.enum(Object.keys(queues) as [QueueName, ...QueueName[]]).meta({ example: 'token-purge' });
const count = z.number().int();

export const listJobsQuery = z.strictObject({
  ...pageQuery,
  state: z
    .literal('failed')
    .default('failed')
    .meta({ description: 'Only failed jobs are kept long enough to be listed.' }),
  queue: queueName.optional().meta({ description: 'Only jobs of this queue.' }),
});
export type ListJobsParameters = z.output<typeof listJobsQuery>;

export const jobPath = z.strictObject({ queue: queueName, jobId: z.string().min(1).max(128) });
export type JobPath = z.output<typeof jobPath>;

export const listOutboxQuery = z.strictObject(pageQuery);
export type ListOutboxParameters = z.output<typeof listOutboxQuery>;

export const queueListAnswer = z.object({
  items: z.array(
    z
      .object({ name: queueName, waiting: count, active: count, delayed: count, completed: count, failed: count })
      .meta({ id: 'Queue', description: 'How many jobs a queue holds. Completed ones are kept for an hour.' }),
  ),
});

export const jobPage = pageOf(
  z
    .object({
      queue: queueName,
      id: z.string().meta({ description: 'Opaque id.' }),
      name: z.string().meta({ example: 'token-purge' }),
      failure: z
        .string()
        .meta({ example: 'DomainError', description: 'Class of the last error; the log has all of it.' }),
      attempts: count.meta({ description: 'How often it was tried.', example: 5 }),
      outboxIds: z.array(z.string()).meta({ description: 'Rows of the outbox that it was to do.' }),
      createdAt: timeField,
      failedAt: timeField,
    })
    .meta({ id: 'FailedJob', description: 'A job that failed for good. Failed jobs are kept for 14 days.' }),
);

export const outboxPage = pageOf(
  z
    .object({
      id: idField('ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the event that left the work.'),
      queue: queueName,
      eventType: z.string().meta({ example: CredentialDeleted.type }),
      operationId: z.string().nullable(),
      subjectId: z.string().meta({ description: 'What the work is about: a credential, say.' }),
      attempts: count.meta({ description: 'How often it was handed to the queue.', example: 1 }),
      createdAt: timeField,
      nextAttemptAt: timeField.meta({ description: 'When it is handed on again, unless it is done by then.' }),
    })
    .meta({ id: 'OutboxRow', description: 'Work that is not done yet. It goes in the transaction that does it.' }),
);
