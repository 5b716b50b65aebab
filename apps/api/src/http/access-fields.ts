import { z } from 'zod';
import { AllowedIpsError, canonicalAllowedIps } from '#kernel';
import { timeInput } from './fields.ts';

/** Most entries of one list of Allowed IPs. */
const MAX_ADDRESSES = 100;
/** RFC 3339 has four digits for the year. */
const LAST_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Allowed IPs in input: canonical, duplicates merged. Its description is the caller's. */
export const allowedIpsField = z
  .array(z.string())
  .max(MAX_ADDRESSES, `Give at most ${MAX_ADDRESSES} addresses and ranges.`)
  .transform((list, context) => {
    try {
      return canonicalAllowedIps(list);
    } catch (error) {
      if (!(error instanceof AllowedIpsError)) throw error;
      for (const { index, code, message } of error.faults) {
        context.addIssue({ code: 'custom', path: index === undefined ? [] : [index], message, params: { code } });
      }
      return z.NEVER;
    }
  });

/** The end of something in input; null for never. Its description is the caller's. */
export const expiresAtField = timeInput(
  'Give a time as RFC 3339 with an offset, such as 2027-01-31T12:00:00Z, or null.',
)
  .transform((time, context) => {
    if (time.getTime() <= LAST_TIME_MS) return time;
    context.addIssue({ code: 'custom', message: 'Give a time before the year 10000.', params: { code: 'invalid' } });
    return z.NEVER;
  })
  .nullable()
  .meta({ format: 'date-time' });
