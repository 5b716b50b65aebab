import canonicalize from 'canonicalize';
import type { LogEvent, UnchainedEvent } from '#chain';

const COLUMNS = [
  'id',
  'seq',
  'operationId',
  'type',
  'at',
  'outcome',
  'actor',
  'subject',
  'data',
  'requestId',
  'prevHash',
  'hash',
] as const;

/** The first record of a CSV export, with its CRLF (docs/event-log-format.md, "An export"). */
export const EVENT_CSV_HEADER = `${COLUMNS.join(',')}\r\n`;

/** One event as a record. */
export function eventCsvRecord(event: LogEvent | UnchainedEvent): string {
  const { actor, subject } = event;
  // only the members of the format, because the store may add others
  const only = {
    ...event,
    actor: { type: actor.type, id: actor.id, ip: actor.ip },
    subject: { type: subject.type, id: subject.id },
  };
  return csvRecord(COLUMNS.map((column) => only[column]));
}

/**
 * An RFC 4180 record, with its CRLF. A field that a spreadsheet would read as a formula gets a leading apostrophe; so
 * does one that begins with an apostrophe, so that it can be removed again.
 */
export function csvRecord(fields: readonly (string | number | object | null)[]): string {
  return `${fields.map(field).join(',')}\r\n`;
}

function field(value: string | number | object | null): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? (canonicalize(value) ?? '') : String(value);
  const guarded = /^[=+\-@\t\r']/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
