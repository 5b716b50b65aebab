import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventView } from './event-view.ts';
import { mergeByTime } from './merge-by-time.ts';
import type { EventSource } from './merge-by-time.ts';

/** An event as far as it matters here: when, of which source, and its place there. */
function event(source: number, place: number, at: number): EventView {
  return { id: `${source}-${place}`, at: new Date(at).toISOString() } as EventView;
}

async function* inBatches(events: readonly EventView[], size: number): EventSource & AsyncGenerator<EventView[]> {
  for (let from = 0; from < events.length; from += size) {
    await Promise.resolve();
    yield events.slice(from, from + size);
  }
}

async function merged(sources: readonly (readonly EventView[])[], size: number, batchSize: number) {
  const batches: EventView[][] = [];
  const iterators = sources.map((source) => inBatches(source, size));
  for await (const batch of mergeByTime(iterators, batchSize)) batches.push(batch);
  return batches;
}

const times = fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 }), { maxLength: 20 });

describe('mergeByTime', () => {
  it('merges sources that are ordered by time into one', async () => {
    await fc.assert(
      fc.asyncProperty(
        times,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 9 }),
        async (given, size, n) => {
          const sources = given.map((ats, source) =>
            ats.sort((a, b) => a - b).map((at, place) => event(source, place, at)),
          );
          const batches = await merged(sources, size, n);
          const ats = batches.flat().map(({ at }) => at);
          expect(ats).toEqual(
            sources
              .flat()
              .map(({ at }) => at)
              .sort(),
          );
          expect(batches.slice(0, -1).every((batch) => batch.length === n)).toBe(true);
        },
      ),
    );
  });

  it('never changes the order within a source, even if it is not the order of time', async () => {
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 7 }), async (given, size) => {
        const sources = given.map((ats, source) => ats.map((at, place) => event(source, place, at)));
        const ids = (await merged(sources, size, 5)).flat().map(({ id }) => id);
        expect(ids).toHaveLength(sources.flat().length);
        sources.forEach((source, index) => {
          expect(ids.filter((id) => id.startsWith(`${index}-`))).toEqual(source.map(({ id }) => id));
        });
      }),
    );
  });

  it('fails when a source does', async () => {
    const broken = (async function* () {
      yield [event(0, 0, 1)];
      await Promise.reject(new Error('away'));
    })();
    const reading = mergeByTime([broken], 10);
    await expect(reading.next()).rejects.toThrow('away');
  });
});
