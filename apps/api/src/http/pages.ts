import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DomainError } from '#kernel';
import { Settings } from '#mongo';
import { openCursor, sealCursor } from './cursor.ts';

/** Query members of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, 'must be a whole number from 1 to 100')
    .default(20)
    .meta({
      description: 'How many items at most.',
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 20,
      example: 20,
    }),
  cursor: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: '`nextCursor` of the page before; leave it out for the first page.' }),
};

/** A page of a list. `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Cursors that only the service can make, and only for the list that they were made for. */
@Injectable()
export class Pages {
  constructor(private readonly settings: Settings) {}

  /**
   * Where the cursor's list goes on.
   *
   * @param list what the cursor must have been made for: the route and its filters
   * @throws DomainError `invalid-cursor`
   */
  async open(list: string, cursor: string | undefined): Promise<string | undefined> {
    if (cursor === undefined) return undefined;
    const payload = openCursor(await this.settings.key('cursor-key'), cursor);
    if (payload?.['list'] === list && typeof payload['after'] === 'string') return payload['after'];
    throw new DomainError(
      'invalid-cursor',
      'Take the cursor as it was given, with the same filters, or leave it out to begin again.',
      {
        errors: [
          { pointer: '/query/cursor', code: 'invalid-cursor', message: 'This cursor was not given out for this list.' },
        ],
      },
    );
  }

  /** @param found one item more than the page holds, when there are more @param keyOf where the list goes on after an item */
  async page<T>(list: string, found: readonly T[], limit: number, keyOf: (item: T) => string): Promise<Page<T>> {
    const items = found.slice(0, limit);
    const last = items.at(-1);
    if (found.length <= limit || last === undefined) return { items, nextCursor: null };
    const key = await this.settings.key('cursor-key');
    return { items, nextCursor: sealCursor(key, { list, after: keyOf(last) }) };
  }
}

/** Names a list for its cursors: the route and the filters, whose order does not matter. */
export function listName(route: string, filters: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(filters).filter(([, value]) => value !== undefined);
  return JSON.stringify([route, ...set.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
