import { z } from 'zod';
import { count, instant, member, sha256, text, texts } from './event-description.ts';
import { eventType } from './event-type.ts';
import { REFUSAL_REASONS } from './refusal-reason.ts';

const HASH = '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9';
/** The subject of events about the log itself. */
export const EVENT_LOG = { id: 'events' } as const;

const log = { subjects: ['service'], subjectId: '`events`' } as const;
const operationId = member(
  text.nullable(),
  'The operation; `platform` for the platform’s chain, null for all chains that the actor may see.',
  'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
);
const from = member(instant.nullable(), 'From this time on.', null);
const to = member(instant.nullable(), 'Before this time.', null);
const file = (example: string): z.ZodString => member(text, 'Path of the file in the archive folder.', example);
const fileHash = member(sha256, 'SHA-256 of the file.', HASH);

const readFilter = z
  .strictObject({
    operationId: text,
    type: text,
    actor: text,
    subject: text,
    from: instant,
    to: instant,
    outcome: text,
    eventId: text,
    feed: z.literal('true'),
  })
  .partial();

export class EventsRead extends eventType({
  ...log,
  type: 'events.read.v2',
  what: 'Someone read the log. There is at most one event per reader, minute and instance of the service. The first read of a minute is answered only if its event is written. Later reads of that minute are counted in the reader’s next event, or in an event at the end of the minute.',
  chain: 'platform',
  actors: ['user', 'service'],
  data: z.strictObject({
    count: member(count, 'How many reads this event stands for.', 3),
    since: member(instant, 'Time of the first of them.', '2026-11-23T09:30:00.000Z'),
    filters: member(
      z.array(readFilter),
      'The last twenty different filters. `eventId` for a single event, `feed` for followers.',
      [{ subject: 'cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b' }],
    ),
  }),
}) {}

export class EventsExported extends eventType({
  ...log,
  type: 'events.exported.v1',
  what: 'Someone exported the log. The event is in the exported chain, or in the platform’s chain if several were exported. It is written before the export begins, so the export ends with it.',
  chain: 'operation or platform',
  actors: ['user', 'service'],
  data: z.strictObject({
    format: member(z.enum(['ndjson', 'csv']), 'Format.', 'ndjson'),
    operationId,
    from,
    to,
    type: member(text.optional(), 'Only events of this type.', 'credential.deleted.v1'),
    outcome: member(text.optional(), 'Only events with this outcome.', 'success'),
    subject: member(text.optional(), 'Only events about this object.', 'cr_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b'),
  }),
}) {}

export class EventsArchived extends eventType({
  ...log,
  type: 'events.archived.v1',
  what: 'A retention archived the beginning of the chain. From this event on, the chain begins after `throughSeq`. [The format](event-log-format.md) specifies how to verify that.',
  chain: 'operation or platform',
  actors: ['system'],
  data: z.strictObject({
    throughSeq: member(count, 'The last seq that was dropped.', 1200),
    checkpointId: member(
      text,
      'Id of the checkpoint at that seq, which is kept.',
      'cp_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    ),
    count: member(count, 'How many events were dropped.', 1200),
    file: file('op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b/000000000001-000000001200.ndjson'),
    sha256: fileHash,
  }),
}) {}

export class RefusalsArchived extends eventType({
  type: 'refusals.archived.v1',
  what: 'A retention archived and dropped the sums of refusals (`sign-in.refused.v1`) of one day.',
  chain: 'platform',
  subjects: ['day'],
  subjectId: 'the day, UTC',
  actors: ['system'],
  data: z.strictObject({
    count: member(count, 'How many sums.', 17),
    file: file('refusals/2026-11-23.ndjson'),
    sha256: fileHash,
  }),
}) {}

export class LogRepaired extends eventType({
  ...log,
  type: 'log.repaired.v1',
  what: 'An operator ran `latchkey repair`: the chain’s head did not match its last event, and was moved to it. No event was changed or removed.',
  chain: 'operation or platform',
  actors: ['system'],
  data: z.strictObject({
    fromSeq: member(count.nullable(), 'Seq of the head before; null if there was no head.', 1203),
    fromHash: member(sha256.nullable(), 'Hash of the head before; null if there was no head.', HASH),
    toSeq: member(count, 'Seq of the last event of the contiguous, verified log.', 1200),
    toHash: member(sha256, 'Its hash.', HASH),
  }),
}) {}

export class LogReconciled extends eventType({
  ...log,
  type: 'log.reconciled.v1',
  what: 'An operator ran `latchkey reconcile` after a restore: the chain had been longer than in the restored database, or different. It continues from this event.',
  chain: 'operation or platform',
  actors: ['system'],
  data: z.strictObject({
    lostSeq: member(count, 'Seq of the last event that a tombstone or checkpoint names.', 1240),
    lostHash: member(sha256, 'Its hash.', HASH),
    lostAt: member(instant, 'Its time.', '2026-11-23T09:30:00.000Z'),
  }),
}) {}

export class CheckpointsRequested extends eventType({
  ...log,
  type: 'checkpoints.requested.v1',
  what: 'Someone requested checkpoints. It is written before the signing, so it is signed too. The hourly schedule writes no event.',
  chain: 'platform',
  actors: ['user', 'service'],
  data: z.strictObject({ operationId }),
}) {}

export class CheckpointKeyRotated extends eventType({
  type: 'checkpoint-key.rotated.v1',
  what: 'The service was started with another signing key; the previous key no longer signs. Also written for the first key.',
  chain: 'platform',
  subjects: ['checkpoint-key'],
  subjectId: 'id of the new key (`kid`)',
  actors: ['system'],
  data: z.strictObject({
    retiredKeyId: member(text.nullable(), 'Id of the key that was retired; null for the first key.', null),
  }),
}) {}

export class JobRetried extends eventType({
  type: 'job.retried.v1',
  what: 'Someone requested a retry of a failed job. It is written before the retry; if the queue was unavailable then, the job was not retried.',
  chain: 'platform',
  subjects: ['job'],
  subjectId: 'id of the job',
  actors: ['user'],
  data: z.strictObject({ queue: member(text, 'Name of its queue.', 'token-purge') }),
}) {}

export class SignInRefused extends eventType({
  type: 'sign-in.refused.v1',
  what: 'Callers who claimed to be the subject were refused. One event sums up a subject, reason and minute. It is outside the chains, since anyone can cause refusals by the thousand. The actor is the claimed identity, which is not proven: `actor.type` is `user`, `resource-server` or, for a credential and for what does not exist, `client`, and `actor.id` is the id of the subject. Its `ip` is set if all refusals came from one address.',
  chain: 'none',
  subjects: ['credential', 'resource-server', 'user', 'unknown'],
  subjectId: 'claimed id, or `unknown` if it does not exist',
  actors: ['client', 'resource-server', 'user'],
  data: z.strictObject({
    reason: member(z.enum(REFUSAL_REASONS), 'The true reason, which the caller does not learn.', 'wrong-secret'),
    count: member(count, 'How many, in this minute.', 12),
    addresses: member(texts, 'Addresses of the callers; at most ten.', ['192.0.2.1']),
    minute: member(instant, 'The minute.', '2026-11-23T09:30:00.000Z'),
  }),
}) {}

/** The log itself, its proof, and the jobs behind the service. */
export const logEvents = [
  EventsRead,
  EventsExported,
  EventsArchived,
  RefusalsArchived,
  LogRepaired,
  LogReconciled,
  CheckpointsRequested,
  CheckpointKeyRotated,
  JobRetried,
  SignInRefused,
] as const;
