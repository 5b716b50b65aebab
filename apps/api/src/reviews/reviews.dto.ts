import { z } from 'zod';
import { EXPORT_FORMATS } from '#audit';
import { REVIEW_VERDICTS } from '#reviews';
import { descriptionField, idField, timeField } from '../http/fields.ts';

const ID = /^[A-Za-z0-9._:-]{1,128}$/;

export const accessReviewQuery = z.strictObject({
  operationId: z.string().regex(ID, 'must be the id of an operation').optional().meta({
    description: 'Only this operation. Omit it for all that you may see.',
    example: 'op_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
  }),
  format: z.enum(EXPORT_FORMATS).default('csv').meta({ description: '`csv` for spreadsheets, `ndjson` for programs.' }),
});
export type AccessReviewParameters = z.output<typeof accessReviewQuery>;

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal')
  .meta({
    description: '`seal.event.data.sha256` in the last line of the file: the digest of everything before that line.',
    example: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9',
  });
const reviewId = z.string().regex(ID, 'must be the id of a review').meta({
  description: '`seal.event.subject.id` in the last line of the file.',
  example: 'rv_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
});
const verdict = z.enum(REVIEW_VERDICTS).meta({ description: 'The verdict of the reviewer.', example: 'approved' });

export const decideReviewBody = z
  .strictObject({
    reviewId,
    sha256,
    verdict,
    comment: descriptionField.default('').meta({
      type: 'string',
      maxLength: 1000,
      description: 'Up to 1000 characters, such as what has to change. It is recorded in the event log.',
      example: 'Ticket 4711: remove the test client',
    }),
  })
  .meta({
    id: 'DecideReview',
    example: {
      reviewId: 'rv_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b',
      sha256: '5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9',
      verdict: 'approved',
      comment: '',
    },
  });
export type DecideReviewBody = z.output<typeof decideReviewBody>;

export const reviewAnswer = z
  .object({
    reviewId,
    operationId: z.string().nullable().meta({ description: 'The operation of the review; null for several.' }),
    sha256,
    verdict,
    comment: z.string(),
    reviewer: idField('us_019aaf3e6c1d7e0f8a2b4c6d8e0f1a2b', 'The person who recorded the verdict.'),
    at: timeField,
  })
  .meta({ id: 'AccessReview' });
