import type { ExportEventsParameters } from './events.dto.ts';

const mediaTypes = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8; header=present' } as const;

/** The media type of an export, and a file name that describes its content. */
export function exportHeaders({ format, operationId, from, to }: ExportEventsParameters): Record<string, string> {
  return fileHeaders(format, ['latchkey-events', operationId, from?.toISOString(), to?.toISOString()]);
}

/** The headers of a file. @param parts of its name */
export function fileHeaders(
  format: keyof typeof mediaTypes,
  parts: readonly (string | undefined)[],
): Record<string, string> {
  // RFC 6266: avoid characters that need quoting or escaping
  const name = parts
    .filter((part) => part !== undefined)
    .join('_')
    .replaceAll(/[^\w.-]/g, '-');
  return {
    'content-type': mediaTypes[format],
    'content-disposition': `attachment; filename="${name}.${format}"`,
  };
}
