import type { ExportEventsParameters } from './events.dto.ts';

const mediaTypes = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8; header=present' } as const;

/** The media type of an export, and a file name that describes its content. */
export function exportHeaders({ format, operationId, from, to }: ExportEventsParameters): Record<string, string> {
  const times = [from, to].map((time) => time?.toISOString());
  const parts = ['latchkey-events', operationId, ...times].filter((part) => part !== undefined);
  // RFC 6266: avoid characters that need quoting or escaping
  const name = parts.join('_').replaceAll(/[^\w.-]/g, '-');
  return {
    'content-type': mediaTypes[format],
    'content-disposition': `attachment; filename="${name}.${format}"`,
  };
}
