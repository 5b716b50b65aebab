import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { DomainError } from '#kernel';
import { Settings } from '#mongo';
import { openCursor, sealCursor } from './cursor.ts';

/** The query members of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, 'must be a whole number from 1 to 100')
    .default(20)
    .meta({
      description: 'The maximum number of items.',
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
    .meta({ description: '`nextCursor` of the previous page. Omit it for the first page.' }),
};

/** A page of a list. `nextCursor` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Creates and reads cursors. A cursor is valid only for the list that it was created for. */
@Injectable()
export class Pages {
  constructor(private readonly settings: Settings) {}

  /**
   * Returns the key after which the list continues.
   *
   * @param list the list that the cursor must belong to: the route and its filters
   * @throws DomainError `invalid-cursor`
   */
  async open(list: string, cursor: string | undefined): Promise<string | undefined> {
    if (cursor === undefined) return undefined;
    const payload = openCursor(await this.settings.key('cursor-key'), cursor);
    if (payload?.['list'] === list && typeof payload['after'] === 'string') return payload['after'];
    throw new DomainError(
      'invalid-cursor',
      'Send `nextCursor` unchanged and with the same filters, or omit the cursor to start again.',
      {
        errors: [
          { pointer: '/query/cursor', code: 'invalid-cursor', message: 'This cursor does not belong to this list.' },
        ],
      },
    );
  }

  /**
   * @param found up to `limit` + 1 items: one more than the page shows if the list continues
   * @param keyOf sort key of an item
   */
  async page<T>(list: string, found: readonly T[], limit: number, keyOf: (item: T) => string): Promise<Page<T>> {
    const items = found.slice(0, limit);
    const last = items.at(-1);
    if (found.length <= limit || last === undefined) return { items, nextCursor: null };
    return { items, nextCursor: await this.cursor(list, keyOf(last)) };
  }

  /** The cursor of a list that continues after this key. */
  async cursor(list: string, after: string): Promise<string> {
    return sealCursor(await this.settings.key('cursor-key'), { list, after });
  }
}

/** The name of a list for its cursors: the route and its filters in any order. */
export function listName(route: string, filters: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(filters).filter(([, value]) => value !== undefined);
  return JSON.stringify([route, ...set.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
