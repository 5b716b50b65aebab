import { describe, expect, it } from '@jest/globals';
import type { HourUsage } from './hour-usage.ts';
import { DAY_MS, HOUR_MS, UsageBook } from './usage-book.ts';

const NOON = Date.parse('2026-11-28T12:00:00Z');

function counts(sightings: ReadonlyMap<string, { readonly count: number }>): Record<string, number> {
  return Object.fromEntries([...sightings].map(([key, { count }]) => [key, count]));
}

function markWritten(hours: readonly HourUsage[]): void {
  for (const hour of hours) hour.writtenRevision = hour.revision;
}

describe('UsageBook', () => {
  it('counts by credential, hour, address, API, secret and reason', () => {
    const book = new UsageBook();
    book.issued('cr_a', 'se_1', '192.0.2.1', NOON + 1);
    book.used('cr_a', ['invoices', 'orders'], '192.0.2.1', NOON + 2);
    book.used('cr_a', ['invoices'], '192.0.2.2', NOON + 3);
    book.refused('cr_a', 'address', NOON + 4);
    book.used('cr_a', ['invoices'], '192.0.2.2', NOON + HOUR_MS);
    book.used('cr_b', [], '192.0.2.3', NOON);
    const [first, second, other] = book.unwritten();
    expect(first).toMatchObject({ credentialId: 'cr_a', atMs: NOON, issued: 1, used: 2, lastUsedMs: NOON + 3 });
    expect(counts(first!.addresses)).toEqual({ '192.0.2.1': 2, '192.0.2.2': 1 });
    expect(counts(first!.apis)).toEqual({ invoices: 2, orders: 1 });
    expect(first!.apis.get('orders')?.lastMs).toBe(NOON + 2);
    expect(counts(first!.secrets)).toEqual({ se_1: 1 });
    expect([...first!.refused]).toEqual([['address', 1]]);
    expect(second).toMatchObject({ credentialId: 'cr_a', atMs: NOON + HOUR_MS, used: 1 });
    expect(other).toMatchObject({ credentialId: 'cr_b', used: 1 });
  });

  it('counts the 51st address of a day as other, in every hour of that day, and starts again the next day', () => {
    const book = new UsageBook();
    for (let at = 1; at <= 51; at += 1) book.used('cr_a', [], `192.0.2.${at}`, NOON);
    const [noon] = book.unwritten();
    expect(noon!.addresses.size).toBe(51);
    expect(counts(noon!.addresses)).toMatchObject({ '192.0.2.50': 1, other: 1 });
    markWritten([noon!]);
    book.forgetWritten(NOON);
    for (const address of ['192.0.2.51', '192.0.2.50']) book.used('cr_a', [], address, NOON + HOUR_MS);
    expect(counts(book.unwritten()[0]!.addresses)).toEqual({ other: 1, '192.0.2.50': 1 });
    book.used('cr_a', [], '192.0.2.51', NOON + DAY_MS);
    expect(counts(book.unwritten().at(-1)!.addresses)).toEqual({ '192.0.2.51': 1 });
  });

  it('does not let refusals use up addresses', () => {
    const book = new UsageBook();
    for (let count = 0; count < 1_000; count += 1) book.refused('cr_a', 'wrong-secret', NOON);
    book.used('cr_a', [], '192.0.2.1', NOON);
    expect(counts(book.unwritten()[0]!.addresses)).toEqual({ '192.0.2.1': 1 });
  });

  it('does not count an unknown address among the fifty', () => {
    const book = new UsageBook();
    for (let at = 1; at <= 50; at += 1) {
      book.used('cr_a', [], 'unknown', NOON);
      book.used('cr_a', [], `192.0.2.${at}`, NOON);
    }
    expect(counts(book.unwritten()[0]!.addresses)).toMatchObject({ unknown: 50, '192.0.2.50': 1 });
    expect(book.unwritten()[0]!.addresses.has('other')).toBe(false);
  });

  it('keeps to its maximum, and says what it did not count', () => {
    const book = new UsageBook(1_000);
    let uncounted = 0;
    for (let id = 0; id < 5_000; id += 1) {
      for (let at = 0; at < 3; at += 1) {
        if (!book.used(`cr_${id}`, [`api-${at}`], `192.0.2.${at}`, NOON)) uncounted += 1;
      }
    }
    expect(book.size).toBeLessThan(1_010);
    expect(sizeOf(book)).toBeLessThan(1_010);
    expect(uncounted).toBeGreaterThan(4_000);
    for (let api = 0; api < 2_000; api += 1) book.used('cr_0', [`more-${api}`], `198.51.100.${api}`, NOON);
    expect(book.size).toBeLessThan(1_010);
  });

  it('keeps what is not written through hours and days, and still keeps to its maximum', () => {
    const book = new UsageBook(1_000);
    for (let hour = 0; hour < 1_000; hour += 1) {
      book.used('cr_a', ['invoices'], '192.0.2.1', NOON + hour * HOUR_MS);
      book.forgetWritten(NOON + hour * HOUR_MS);
    }
    const used = book.unwritten().reduce((sum, hour) => sum + hour.used, 0);
    expect(used).toBeGreaterThan(200);
    expect(book.size).toBeLessThan(1_010);
  });

  it('frees its memory when everything is written and the day is over', () => {
    const book = new UsageBook();
    for (let hour = 0; hour < 30; hour += 1) {
      for (let id = 0; id < 20; id += 1) book.used(`cr_${id}`, ['invoices'], `192.0.2.${hour}`, NOON + hour * HOUR_MS);
    }
    markWritten(book.unwritten());
    book.forgetWritten(NOON + 3 * DAY_MS);
    expect([book.size, book.unwritten()]).toEqual([0, []]);
  });

  it('forgets what is written when memory is short, and goes on in a new document', () => {
    const book = new UsageBook(10);
    book.used('cr_a', ['invoices'], '192.0.2.1', NOON);
    book.used('cr_b', ['invoices'], '192.0.2.1', NOON);
    const [first] = book.unwritten();
    markWritten(book.unwritten());
    book.forgetWritten(NOON);
    expect(book.size).toBe(0);
    book.used('cr_a', ['invoices'], '192.0.2.1', NOON);
    const [again] = book.unwritten();
    expect(again).toMatchObject({ credentialId: 'cr_a', atMs: NOON, used: 1 });
    expect(again?.id).not.toBe(first?.id);
  });

  it('has nothing to write while nothing changes', () => {
    const book = new UsageBook();
    book.issued('cr_a', 'se_1', '192.0.2.1', NOON);
    markWritten(book.unwritten());
    expect(book.unwritten()).toEqual([]);
    book.refused('cr_a', 'scope', NOON);
    expect(book.unwritten()).toHaveLength(1);
  });
});

/** The counters that are there in fact. */
function sizeOf(book: UsageBook): number {
  return book.unwritten().reduce((sum, hour) => sum + hour.size, 0);
}
