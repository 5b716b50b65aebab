import { z } from 'zod';
import { pageQuery } from '../http/pages.ts';
import { MAX_CURSOR_LENGTH } from './feed-cursors.ts';
import { chainFilter, eventAnswer } from './events.dto.ts';

const MAX_WAIT_SECONDS = 25;
const MAX_PARTS = 64;
const BAD_WAIT = `must be a whole number from 0 to ${MAX_WAIT_SECONDS}`;
const BAD_PART = `must be a part such as 1/4, of at most ${MAX_PARTS}`;

export const feedQuery = z.strictObject({
  after: z.string().min(1).max(MAX_CURSOR_LENGTH).optional().meta({
    description:
      '`nextCursor` of the previous answer. Omit it to begin with the oldest stored event; `latest` begins now.',
    example: 'latest',
  }),
  wait: z
    .string()
    .regex(/^\d{1,2}$/, BAD_WAIT)
    .transform(Number)
    .refine((wait) => wait <= MAX_WAIT_SECONDS, BAD_WAIT)
    .default(0)
    .meta({
      description: 'How many seconds to wait for an event if there is none.',
      type: 'integer',
      minimum: 0,
      maximum: MAX_WAIT_SECONDS,
      default: 0,
      example: 0,
    }),
  limit: pageQuery.limit,
  ...chainFilter,
  part: z
    .string()
    .regex(/^[1-9]\d?\/[1-9]\d?$/, BAD_PART)
    .transform((text) => {
      const [number = 0, of = 0] = text.split('/').map(Number);
      return { number, of };
    })
    .refine(({ number, of }) => number <= of && of <= MAX_PARTS, BAD_PART)
    .optional()
    .meta({
      type: 'string',
      pattern: '^[1-9][0-9]?/[1-9][0-9]?$',
      description:
        'For more than 400 operations, or for several followers side by side: only this part of the operations. ' +
        'Follow all parts, each with its own cursor. Refusals come with part 1.',
      example: '1/1',
    }),
});
export type FeedParameters = z.output<typeof feedQuery>;

export const feedAnswer = z
  .object({
    items: z.array(eventAnswer),
    nextCursor: z.string().meta({ description: 'Send it as `after` of the next call. It is never null.' }),
  })
  .meta({ id: 'EventFeed' });
