import type { EventView } from './event-view.ts';

/** Events of one source in its order, in batches that are not empty. */
export type EventSource = AsyncIterator<readonly EventView[], void, undefined>;

/** The position in a source: its current batch and the index in it. */
interface Cursor {
  readonly source: EventSource;
  readonly rank: number;
  batch: readonly EventView[];
  index: number;
  at: string;
}

/** The number of sources whose first batch is read in parallel. */
const OPEN_CONCURRENCY = 8;

/**
 * Merges sources into one sequence, the earliest event first, and keeps the order within each source.
 *
 * @param batchSize the size of the returned batches
 */
export async function* mergeByTime(
  sources: readonly EventSource[],
  batchSize: number,
): AsyncGenerator<EventView[], void, undefined> {
  // the next cursor is the last of the array, where removing and re-inserting it is cheap
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
  for (let from = 0; from < sources.length; from += OPEN_CONCURRENCY) {
    const opening = sources.slice(from, from + OPEN_CONCURRENCY).map(async (source, index) => {
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

// all times have the same form and length, so strings sort by time
function latestFirst(a: Cursor, b: Cursor): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return b.rank - a.rank;
}
