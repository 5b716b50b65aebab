import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import type { LogEvent } from '#chain';
import { EVENT_CSV_HEADER, eventCsvRecord } from './event-csv.ts';

const event: LogEvent = {
  id: 'ev_1',
  seq: 1,
  operationId: null,
  type: 'api.created.v1',
  at: '2026-03-01T12:00:00.000Z',
  actor: { type: 'user', id: 'us_1', ip: null },
  subject: { type: 'api', id: 'orders' },
  outcome: 'success',
  data: { name: 'a, "b"' },
  requestId: null,
  prevHash: 'a'.repeat(64),
  hash: 'b'.repeat(64),
};

/** RFC 4180, read by the book: fields of one record, which may hold line breaks in quotes. */
function parse(record: string): string[] {
  expect(record.endsWith('\r\n')).toBe(true);
  const fields = [...record.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|$)/g)];
  return fields.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

describe('the CSV export', () => {
  it('has the documented columns, canonical JSON, and an empty field for null', () => {
    expect(EVENT_CSV_HEADER).toBe('id,seq,operationId,type,at,outcome,actor,subject,data,requestId,prevHash,hash\r\n');
    expect(eventCsvRecord(event)).toBe(
      `ev_1,1,,api.created.v1,2026-03-01T12:00:00.000Z,success,"{""id"":""us_1"",""ip"":null,""type"":""user""}",` +
        `"{""id"":""orders"",""type"":""api""}","{""name"":""a, \\""b\\""""}",,${'a'.repeat(64)},${'b'.repeat(64)}\r\n`,
    );
  });

  it.each(['=1+1', '+1', '-2-3', '@SUM(A1)', '\t=1', '\r=1', "'=1", "'"])(
    'never contains a formula: %j',
    (requestId) => {
      expect(parse(eventCsvRecord({ ...event, requestId }))[9]).toBe(`'${requestId}`);
    },
  );

  it('can be read back to exactly the event', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(text, text, text, (requestId, type, name) => {
        const fields = parse(eventCsvRecord({ ...event, requestId, type, data: { name } }));
        const read = fields.map((field) => field.replace(/^'/, ''));
        expect([read[9], read[3], read[8]]).toEqual([requestId, type, canonicalize({ name })]);
        expect(fields.filter((field) => /^[=+\-@\t\r]/.test(field))).toEqual([]);
      }),
    );
  });
});
