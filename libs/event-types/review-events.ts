import { z } from 'zod';
import { count, member, sha256, text } from './event-description.ts';
import { eventType } from './event-type.ts';

const HASH = '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9';

const review = {
  chain: 'operation or platform',
  subjects: ['access-review'],
  subjectId: 'id of the review',
  actors: ['user', 'service'],
} as const;
const fileHash = member(sha256, 'SHA-256 of the file without its last line, the seal.', HASH);

export class AccessReviewTaken extends eventType({
  ...review,
  type: 'access-review.taken.v1',
  what: 'Someone took the list of who may call what (`GET /v1/reviews/access`). The event is in the chain of the operation, or in the platform’s chain if the list has several operations. A checkpoint signs it. Both are in the last line of the file.',
  data: z.strictObject({
    operationId: member(
      text.nullable(),
      'The operation; null for all operations that the actor may see.',
      'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
    ),
    format: member(z.enum(['ndjson', 'csv']), 'Format.', 'csv'),
    rows: member(count, 'How many rows the file has.', 42),
    sha256: fileHash,
  }),
}) {}

export class AccessReviewDecided extends eventType({
  ...review,
  type: 'access-review.decided.v1',
  what: 'A reviewer recorded their verdict about such a list.',
  data: z.strictObject({
    verdict: member(z.enum(['approved', 'changes-required', 'rejected']), 'The verdict.', 'approved'),
    comment: member(text, 'The reviewer’s comment.', ''),
    sha256: fileHash,
  }),
}) {}

/** Reviews of who may call what. */
export const reviewEvents = [AccessReviewTaken, AccessReviewDecided] as const;
