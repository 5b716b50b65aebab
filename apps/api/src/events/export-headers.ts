import type { ExportEventsParameters } from './events.dto.ts';

const mediaTypes = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8; header=present' } as const;

/** Headers of an export: what it is, and a file name that says what is in it. */
export function exportHeaders({ format, operationId, from, to }: ExportEventsParameters): Record<string, string> {
  const times = [from, to].map((time) => time?.toISOString());
  const parts = ['latchkey-events', operationId, ...times].filter((part) => part !== undefined);
  // RFC 6266: nothing that would need quoting or escaping in a file name
  const name = parts.join('_').replaceAll(/[^\w.-]/g, '-');
  return {
    'content-type': mediaTypes[format],
    'content-disposition': `attachment; filename="${name}.${format}"`,
  };
}
