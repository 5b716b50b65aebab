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
  state: z.literal('failed').default('failed').meta({ description: 'Only failed jobs can be listed.' }),
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
      .meta({ id: 'Queue', description: 'The number of jobs in a queue. Completed jobs are kept for an hour.' }),
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
        .meta({ example: 'DomainError', description: 'Class of the last error. The log has the whole error.' }),
      attempts: count.meta({ description: 'The number of attempts.', example: 5 }),
      outboxIds: z.array(z.string()).meta({ description: 'The outbox rows of this job.' }),
      createdAt: timeField,
      failedAt: timeField,
    })
    .meta({
      id: 'FailedJob',
      description: 'A job that failed after its last attempt. Failed jobs are kept for 14 days.',
    }),
);

export const outboxPage = pageOf(
  z
    .object({
      id: idField('ev_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'Id of the event that caused the work.'),
      queue: queueName,
      eventType: z.string().meta({ example: CredentialDeleted.type }),
      operationId: z.string().nullable(),
      subjectId: z.string().meta({ description: 'The object of the work, such as a credential.' }),
      attempts: count.meta({ description: 'How often it was enqueued.', example: 1 }),
      createdAt: timeField,
      nextAttemptAt: timeField.meta({ description: 'When it is enqueued again, unless it is done by then.' }),
    })
    .meta({
      id: 'OutboxRow',
      description: 'Follow-up work that is not done yet. The transaction that does the work deletes the row.',
    }),
);
