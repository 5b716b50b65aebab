import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { beforeDeadline } from '#mongo';
import { Coalescer } from './coalescer.ts';

/** A store whose queries are answered by hand. */
function manualStore(): {
  readonly queries: {
    readonly keys: string[];
    answer: (values: Record<string, string>) => void;
    fail: (error: Error) => void;
  }[];
  readonly load: (keys: string[]) => Promise<Map<string, string>>;
} {
  const queries: ReturnType<typeof manualStore>['queries'] = [];
  const load = (keys: string[]): Promise<Map<string, string>> =>
    new Promise((resolve, reject) => {
      queries.push({ keys, answer: (values) => resolve(new Map(Object.entries(values))), fail: reject });
    });
  return { queries, load };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await turn(); // Jest's time limit ends it
}

describe('Coalescer', () => {
  it('combines the reads of one event-loop turn into one query', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load);
    const answers = Promise.all([coalescer.get('a'), coalescer.get('b'), coalescer.get('a')]);
    await turn();
    expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b']]);
    queries[0]?.answer({ a: '1' });
    expect(await answers).toEqual(['1', undefined, '1']);
  });

  it('never adds a caller to a query that is already sent', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 2, 500, 0);
    const early = coalescer.get('a');
    await turn();
    const late = coalescer.get('a');
    await turn();
    expect(queries).toHaveLength(2);
    queries[0]?.answer({ a: 'old' });
    queries[1]?.answer({ a: 'new' });
    expect(await Promise.all([early, late])).toEqual(['old', 'new']);
  });

  it('collects while the maximum number of queries is in progress', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 1);
    const first = coalescer.get('a');
    await turn();
    const others = Promise.all([coalescer.get('b'), coalescer.get('c')]);
    await turn();
    expect(queries).toHaveLength(1);
    queries[0]?.answer({ a: '1' });
    await first;
    await turn();
    expect(queries[1]?.keys).toEqual(['b', 'c']);
    queries[1]?.answer({ b: '2', c: '3' });
    expect(await others).toEqual(['2', '3']);
  });

  it('continues beside a slow query', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 2, 500, 1);
    const slow = coalescer.get('a');
    await turn();
    const others = Promise.all([coalescer.get('b'), coalescer.get('c')]);
    await eventually(() => queries.length === 2);
    expect(queries[1]?.keys).toEqual(['b', 'c']);
    queries[1]?.answer({ b: '2', c: '3' });
    expect(await others).toEqual(['2', '3']);
    queries[0]?.answer({ a: '1' });
    expect(await slow).toBe('1');
  });

  it('splits reads that exceed the limit of one query', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 4, 2, 0);
    const answers = Promise.all(['a', 'b', 'c'].map((key) => coalescer.get(key)));
    await turn();
    await turn();
    expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b'], ['c']]);
    for (const query of queries) query.answer(Object.fromEntries(query.keys.map((key) => [key, key])));
    expect(await answers).toEqual(['a', 'b', 'c']);
  });

  it('reports a failure to each caller, and continues', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 1);
    const failing = Promise.allSettled([coalescer.get('a'), coalescer.get('b')]);
    await turn();
    queries[0]?.fail(new Error('gone'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = coalescer.get('a');
    await turn();
    queries[1]?.answer({ a: '1' });
    expect(await next).toBe('1');
  });

  it('applies the deadline of a caller to no other caller', async () => {
    const { queries, load } = manualStore();
    const coalescer = new Coalescer(load, 1);
    const hurried = beforeDeadline(performance.now() + 20, () => coalescer.get('a')).catch((error: unknown) => error);
    const patient = [coalescer.get('a')];
    await turn();
    patient.push(coalescer.get('b'));
    expect(await hurried).toMatchObject({ code: 'store-unavailable' });
    await pause(20);
    queries[0]?.answer({ a: '1' });
    await turn();
    queries[1]?.answer({ b: '2' });
    expect(await Promise.all(patient)).toEqual(['1', '2']);
  });
});
