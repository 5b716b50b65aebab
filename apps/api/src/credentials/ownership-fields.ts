import { z } from 'zod';
import { normaliseLine } from '#kernel';
import { withRule } from '../http/fields.ts';

/** Most labels of one credential. */
const MAX_LABELS = 20;
/** RFC 5321 4.5.3.1.3: a path holds 256 octets, two of them its brackets. */
const MAX_EMAIL_LENGTH = 254;

export const ownerField = z
  .string()
  .transform(withRule((text) => normaliseLine(text)))
  .nullable()
  .meta({
    type: 'string',
    minLength: 1,
    maxLength: 200,
    description: 'The person or team that answers for it: 1 to 200 characters, with the rules of a name. null: nobody.',
  });

export const contactField = z
  .email('Give an email address, such as team@example.com, or null.')
  .max(MAX_EMAIL_LENGTH, `Give an email address of at most ${MAX_EMAIL_LENGTH} characters.`)
  .nullable()
  .meta({ description: 'Email address of the owner; null for none.' });

const KEY_RULE = 'The key of a label has 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit.';

const labelKey = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, KEY_RULE);

const labelValue = z
  .string()
  .transform(withRule((text) => normaliseLine(text, { mayBeEmpty: true })))
  .meta({ type: 'string', maxLength: 200 });

const labels = z
  .record(labelKey, labelValue)
  .refine((given) => Object.keys(given).length <= MAX_LABELS, `Give at most ${MAX_LABELS} labels.`)
  .transform((given) => Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))));

/** zod's records drop a member of this name silently. */
const PROTO = '__proto__';

export const labelsField = z
  .preprocess((given, context) => {
    if (typeof given !== 'object' || given === null || !Object.hasOwn(given, PROTO)) return given;
    context.addIssue({ code: 'custom', path: [PROTO], message: KEY_RULE });
    return z.NEVER;
  }, labels)
  .meta({
    maxProperties: MAX_LABELS,
    description:
      'Labels of your own, for finding it: at most 20, each a key (1 to 63 of `a-z 0-9 . _ -`) with a text of up to 200 ' +
      'characters. What is given replaces all that there were.',
  });
