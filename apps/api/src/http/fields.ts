import { z } from 'zod';
import { NameError, checkDescription, normaliseName } from '#kernel';

/** Applies a rule of the kernel and reports its fault at the field. */
export function withRule(rule: (text: string) => string) {
  return (text: string, context: z.RefinementCtx): string => {
    try {
      return rule(text);
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      context.addIssue({ code: 'custom', message: error.publicMessage });
      return z.NEVER;
    }
  };
}

/** A name: 1…100 code points, normalised to NFC, without invisible characters. */
export const nameField = z
  .string()
  .transform(withRule(normaliseName))
  .meta({
    type: 'string',
    minLength: 1,
    maxLength: 100,
    description:
      '1 to 100 characters, normalised to NFC; no control, bidirectional or zero-width characters. ' +
      'Unique, ignoring case.',
  });

/** The filter of a list by a part of the name. */
export const nameFilter = z
  .string()
  .min(1)
  .max(100)
  .optional()
  .meta({ description: 'Only those whose name contains this, taken literally, in any case.' });

/** A description: up to 1000 code points; line breaks are allowed. */
export const descriptionField = z.string().transform(withRule(checkDescription)).meta({
  type: 'string',
  maxLength: 1000,
  description: 'Up to 1000 characters.',
});

// 2026-11-23T09:30:00+01:00 after its + was decoded as a space
const LOST_PLUS = /^\S+ \d{2}:?\d{2}$/;

/**
 * A time in a request: RFC 3339 with an offset, letters in either case (5.6).
 * @param advice the message for an invalid time
 */
export function timeInput(advice: string): z.ZodType<Date> {
  return z
    .string()
    .transform((text) => text.toUpperCase())
    .pipe(
      z.iso.datetime({
        offset: true,
        error: ({ input }) =>
          LOST_PLUS.test(String(input))
            ? 'In a query, + means a space. Write the offset as %2B01:00, or send the time in UTC with a Z.'
            : advice,
      }),
    )
    .transform((text) => new Date(text));
}

/** A time in an answer. */
export const timeField = z
  .string()
  .meta({ format: 'date-time', description: 'RFC 3339, UTC.', example: '2026-11-23T09:30:00.000Z' });

/** An opaque id in an answer. */
export function idField(example: string, description: string): z.ZodString {
  return z.string().meta({ example, description });
}

/** A page of a list in an answer. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Send it as `cursor` to get the next page; null on the last page.' }),
  });
}
