// Sentences for the faults that zod finds by itself; a schema's own message goes before them. Importing this sets them.
import { config } from 'zod';
import type { core } from 'zod';

type Fault = core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};
const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  object: ['member', 'members'],
  record: ['member', 'members'],
};
const FORMATS: Readonly<Record<string, string>> = {
  email: 'Give an email address.',
  datetime: 'Give a time as RFC 3339 with an offset, such as 2027-01-31T12:00:00Z.',
  url: 'Give an absolute URL.',
};

/** What to send instead, in a sentence. None repeats what was sent. */
function sentenceFor(fault: Fault): string {
  switch (fault.code) {
    case 'invalid_type':
      return fault.input === undefined
        ? 'This is required.'
        : `Give ${KINDS[fault.expected] ?? `a ${fault.expected}`}.`;
    case 'too_big':
      return limit(fault.origin, 'at most', fault.maximum);
    case 'too_small':
      return limit(fault.origin, 'at least', fault.minimum);
    case 'invalid_value':
      return `${fault.input === undefined ? 'This is required. ' : ''}Give ${choiceOf(fault.values)}.`;
    case 'invalid_format':
      return (
        FORMATS[fault.format] ??
        (fault.pattern === undefined ? 'This has the wrong form.' : `Give a text that matches ${fault.pattern}.`)
      );
    case 'invalid_key':
      return 'The name of this member is not allowed.';
    case 'invalid_union':
      return 'This is none of the forms that are described for it.';
    default:
      return 'This value is not allowed.';
  }
}

function choiceOf(values: readonly unknown[]): string {
  return `${values.length === 1 ? '' : 'one of: '}${values.map(String).join(', ')}`;
}

function limit(origin: string, how: string, bound: number | bigint): string {
  const [one, many] = UNITS[origin] ?? [];
  const unit = String(bound) === '1' ? one : many;
  return `Give ${how} ${bound}${unit === undefined ? '' : ` ${unit}`}.`;
}

config({ customError: sentenceFor });
