import type { EventView } from './event-view.ts';

/** Events in an order of their own, batch by batch; no batch is empty. */
export type EventSource = AsyncIterator<readonly EventView[], void, undefined>;

/** Where a source stands: the batch at hand and the place in it. */
interface Cursor {
  readonly source: EventSource;
  readonly rank: number;
  batch: readonly EventView[];
  index: number;
  at: string;
}

/** Sources that are asked for their first batch at the same time. */
const OPENED_AT_ONCE = 8;

/**
 * Merges sources into one sequence, the event of the earliest time first, without ever changing the order within a source.
 *
 * @param batchSize how many events it hands on at once
 */
export async function* mergeByTime(
  sources: readonly EventSource[],
  batchSize: number,
): AsyncGenerator<EventView[], void, undefined> {
  // the last cursor is the next one: to take it away and to put it back near its place is cheap
  const cursors = (await openAll(sources)).sort(latestFirst);
  let batch: EventView[] = [];
  for (let cursor = cursors.pop(); cursor !== undefined; cursor = cursors.pop()) {
    const event = cursor.batch[cursor.index];
    if (event !== undefined) batch.push(event);
    if (batch.length === batchSize) {
      yield batch;
      batch = [];
    }
    cursor.index += 1;
    if (cursor.index < cursor.batch.length || (await refill(cursor))) insert(cursors, cursor);
  }
  if (batch.length > 0) yield batch;
}

async function openAll(sources: readonly EventSource[]): Promise<Cursor[]> {
  const cursors: Cursor[] = [];
  for (let from = 0; from < sources.length; from += OPENED_AT_ONCE) {
    const opening = sources.slice(from, from + OPENED_AT_ONCE).map(async (source, index) => {
      const cursor: Cursor = { source, rank: from + index, batch: [], index: 0, at: '' };
      return (await refill(cursor)) ? [cursor] : [];
    });
    cursors.push(...(await Promise.all(opening)).flat());
  }
  for (const cursor of cursors) cursor.at = cursor.batch[0]?.at ?? '';
  return cursors;
}

async function refill(cursor: Cursor): Promise<boolean> {
  const next = await cursor.source.next();
  cursor.batch = next.value ?? [];
  cursor.index = 0;
  return next.done !== true;
}

function insert(cursors: Cursor[], cursor: Cursor): void {
  cursor.at = cursor.batch[cursor.index]?.at ?? '';
  let low = 0;
  let high = cursors.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = cursors[middle];
    if (other !== undefined && latestFirst(other, cursor) < 0) low = middle + 1;
    else high = middle;
  }
  cursors.splice(low, 0, cursor);
}

// all times have one form and length: as strings they sort by time
function latestFirst(a: Cursor, b: Cursor): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return b.rank - a.rank;
}
