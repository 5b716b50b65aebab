import { z } from 'zod';
import { NameError, checkDescription, normaliseName } from '#kernel';

/** Applies a rule of the kernel, and reports its fault under the field. */
export function ruled(rule: (text: string) => string) {
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

/** A name: 1…100 code points, normalised to NFC, nothing invisible. */
export const nameField = z.string().transform(ruled(normaliseName)).meta({
  type: 'string',
  minLength: 1,
  maxLength: 100,
  description:
    '1 to 100 characters, normalised to NFC; no control, bidirectional or zero-width characters. Unique without regard to case.',
});

/** A description: up to 1000 code points; line breaks are allowed. */
export const descriptionField = z.string().transform(ruled(checkDescription)).meta({
  type: 'string',
  maxLength: 1000,
  description: 'Up to 1000 characters.',
});

// what is left of 2026-11-23T09:30:00+01:00 once its + has become a space
const LOST_PLUS = /^\S+ \d{2}:?\d{2}$/;

/**
 * A time in input: RFC 3339 with an offset, its letters in either case (5.6).
 * @param advice what to write instead of anything else
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
            ? 'A + in a query stands for a space. Write the offset as %2B01:00, or give the time in UTC with a Z.'
            : advice,
      }),
    )
    .transform((text) => new Date(text));
}

/** A time in answers. */
export const timeField = z
  .string()
  .meta({ format: 'date-time', description: 'RFC 3339, UTC.', example: '2026-11-23T09:30:00.000Z' });

/** An opaque id in answers. */
export function idField(example: string, description: string): z.ZodString {
  return z.string().meta({ example, description });
}

/** A page of a list in answers. */
export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Send it as `cursor` for the next page; null on the last one.' }),
  });
}
