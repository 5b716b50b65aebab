import { csvRecord } from '#audit';
import type { ReviewSeal } from './review-sealer.ts';

/** One row of an access review: a credential and one API that it may call; null if it may call none. */
export interface ReviewRow {
  readonly operationId: string;
  readonly operation: string;
  readonly credentialId: string;
  readonly credential: string;
  readonly clientId: string;
  readonly status: 'active' | 'disabled' | 'suspended';
  readonly owner: string | null;
  readonly contact: string | null;
  readonly api: string | null;
  /** Empty: any address. */
  readonly allowedIps: readonly string[];
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly createdAt: string;
  readonly lastChangedAt: string;
  readonly lastChangedBy: string;
}

export type ReviewFormat = 'ndjson' | 'csv';

const COLUMNS = [
  'operationId',
  'operation',
  'credentialId',
  'credential',
  'clientId',
  'status',
  'owner',
  'contact',
  'api',
  'allowedIps',
  'expiresAt',
  'lastUsedAt',
  'createdAt',
  'lastChangedAt',
  'lastChangedBy',
] as const satisfies readonly (keyof ReviewRow)[];

export function reviewHeader(format: ReviewFormat): string {
  return format === 'csv' ? csvRecord(COLUMNS) : '';
}

export function reviewLine(format: ReviewFormat, row: ReviewRow): string {
  if (format === 'ndjson') return `${JSON.stringify(row)}\n`;
  const allowedIps = row.allowedIps.length === 0 ? 'any' : row.allowedIps.join(' ');
  return csvRecord(COLUMNS.map((column) => (column === 'allowedIps' ? allowedIps : row[column])));
}

/** The last line of the file. In CSV, a record that begins with `seal`. */
export function sealLine(format: ReviewFormat, seal: ReviewSeal): string {
  if (format === 'ndjson') return `${JSON.stringify({ seal })}\n`;
  return csvRecord(COLUMNS.map((_column, index) => (index === 0 ? 'seal' : index === 1 ? JSON.stringify(seal) : null)));
}
