import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { DomainError } from '#kernel';
import { StrictSchemaPipe } from './strict-schema.pipe.ts';

const schema = z.strictObject({
  text: z.string().max(3),
  count: z.int().min(1).max(9),
  list: z.array(z.string()).max(1),
  choice: z.enum(['reject', 'evict_oldest']),
  only: z.literal('all'),
  key: z.string().regex(/^[a-z]+$/),
  contact: z.email(),
  own: z.string().refine(() => false, 'Give a text of our own rule.'),
  coded: z.string().superRefine((_value, context) => {
    context.addIssue({ code: 'custom', message: 'It is in the past.', params: { code: 'in-the-past' } });
  }),
  needed: z.boolean(),
});

describe('the faults of a body', () => {
  it('are plain sentences with codes of our own, and repeat nothing that was sent', async () => {
    const body = {
      text: 'SUBMITTED',
      count: 0,
      list: ['SUBMITTED', 'b'],
      choice: 'SUBMITTED',
      only: 'SUBMITTED',
      key: 'SUBMITTED',
      contact: 'SUBMITTED',
      own: 'x',
      coded: 'x',
    };
    const error: unknown = await new StrictSchemaPipe()
      .transform(body, { type: 'body', schema })
      .catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(DomainError);
    const { errors = [] } = error as DomainError;
    expect(Object.fromEntries(errors.map(({ pointer, code, message }) => [pointer, [code, message]]))).toEqual({
      '/text': ['too-big', 'Give at most 3 characters.'],
      '/count': ['too-small', 'Give at least 1.'],
      '/list': ['too-big', 'Give at most 1 entry.'],
      '/choice': ['invalid-value', 'Give one of: reject, evict_oldest.'],
      '/only': ['invalid-value', 'Give all.'],
      '/key': ['invalid-format', 'Give a text that matches /^[a-z]+$/.'],
      '/contact': ['invalid-format', 'Give an email address.'],
      '/own': ['invalid', 'Give a text of our own rule.'],
      '/coded': ['in-the-past', 'It is in the past.'],
      '/needed': ['invalid-type', 'This is required.'],
    });
  });

  it.each([
    [{ text: 5 }, 'Give a text in quotes.'],
    [{ count: '1' }, 'Give a number.'],
    [{}, 'This is required. Give one of: reject, evict_oldest.'],
    [{ list: {} }, 'Give a list.'],
    [[], 'Give an object.'],
    [null, 'Give an object.'],
  ])('name the type that is wanted in place of %j', async (body, message) => {
    const error: unknown = await new StrictSchemaPipe()
      .transform(body, { type: 'body', schema })
      .catch((fault: unknown) => fault);
    expect((error as DomainError).errors?.map((fault) => fault.message)).toContain(message);
  });
});
