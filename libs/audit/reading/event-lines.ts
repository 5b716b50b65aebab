import { eventLine } from '#chain';
import { EVENT_CSV_HEADER, eventCsvRecord } from './event-csv.ts';
import type { EventView } from './event-view.ts';

/** Formats of an export (docs/event-log-format.md, "An export"). */
export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The text before the first event of an export. */
export function exportHeader(format: ExportFormat): string {
  return format === 'csv' ? EVENT_CSV_HEADER : '';
}

/** The lines of events in an export, with line ends. */
export function exportLines(format: ExportFormat, events: readonly EventView[]): string {
  if (format === 'csv') return events.map(eventCsvRecord).join('');
  return events.map((event) => `${eventLine(event)}\n`).join('');
}
