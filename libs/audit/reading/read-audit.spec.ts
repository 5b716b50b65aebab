import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { UnitOfWork } from '#events';
import { Clock } from '#kernel';
import type { CallContext, DomainEvent } from '#kernel';
import type { MongoStore } from '#mongo';
import { createLogger } from '#observability';
import { ReadAudit } from './read-audit.ts';

const MINUTE_MS = 60_000;

class TurnedClock extends Clock {
  ms = Date.parse('2026-11-23T09:30:10.000Z');

  override nowMs(): number {
    return this.ms;
  }
}

/** An audit, and the data of the events that it wrote. */
function audited() {
  const clock = new TurnedClock();
  const written: DomainEvent['data'][] = [];
  const state = { away: false };
  const unitOfWork = {
    run: async (_context: CallContext, _options: object, work: (transaction: object) => Promise<void>) => {
      await Promise.resolve();
      if (state.away) throw new Error('away');
      await work({
        publish: (occurrence: { pullEvents(): DomainEvent[] }) =>
          written.push(...occurrence.pullEvents().map(({ data }) => data)),
      });
    },
  };
  const store = { ready: true } as unknown as MongoStore;
  const audit = new ReadAudit(unitOfWork as unknown as UnitOfWork, clock, store, createLogger('silent'));
  const read = (filter: Record<string, string>, id = 'us_ada'): Promise<void> =>
    audit.record({ actor: { type: 'user', id, ip: null }, requestId: 'r' }, filter);
  return { audit, clock, written, state, read };
}

describe('ReadAudit', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('writes one event per reader and minute, whatever is read', async () => {
    const { written, read } = audited();
    await Promise.all(Array.from({ length: 500 }, (_, n) => read({ subject: `cr_${n}` })));
    await read({ type: 'x' }, 'us_bob');
    expect(written).toEqual([
      { count: 1, since: '2026-11-23T09:30:10.000Z', filters: [{ subject: 'cr_0' }] },
      { count: 1, since: '2026-11-23T09:30:10.000Z', filters: [{ type: 'x' }] },
    ]);
  });

  it('reports the other reads of a minute in the reader’s next event', async () => {
    const { written, read, clock } = audited();
    for (const n of [0, 1, 1, 2]) await read({ subject: `cr_${n}` });
    clock.ms += MINUTE_MS;
    await read({ subject: 'cr_3' });
    expect(written).toHaveLength(2);
    expect(written[1]).toEqual({
      count: 4,
      since: '2026-11-23T09:30:10.000Z',
      filters: [{ subject: 'cr_1' }, { subject: 'cr_2' }, { subject: 'cr_3' }],
    });
  });

  it('names the last twenty filters at most, and counts all reads', async () => {
    const { written, read, clock } = audited();
    for (let n = 0; n < 100; n += 1) await read({ subject: `cr_${n}` });
    clock.ms += MINUTE_MS;
    await read({});
    expect(written[1]).toMatchObject({ count: 100 });
    expect((written[1]?.['filters'] as object[]).slice(-2)).toEqual([{ subject: 'cr_99' }, {}]);
    expect(written[1]?.['filters']).toHaveLength(20);
  });

  it('reports them when the minute is over, even if the reader does not return', async () => {
    const { audit, written, read, clock } = audited();
    audit.onApplicationBootstrap();
    await read({});
    await read({ type: 'x' });
    await jest.advanceTimersByTimeAsync(20_000);
    expect(written).toHaveLength(1);
    clock.ms += MINUTE_MS;
    await jest.advanceTimersByTimeAsync(20_000);
    expect(written[1]).toMatchObject({ count: 1, filters: [{ type: 'x' }] });
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    expect(written).toHaveLength(2);
    await audit.beforeApplicationShutdown();
  });

  it('reports them when the service stops', async () => {
    const { audit, written, read } = audited();
    await read({});
    await read({});
    await audit.beforeApplicationShutdown();
    expect(written).toHaveLength(2);
  });

  it('refuses reads whose event cannot be written, and reports the earlier ones later', async () => {
    const { written, read, clock, state } = audited();
    await read({});
    await read({ type: 'x' });
    clock.ms += MINUTE_MS;
    state.away = true;
    const refused = await Promise.allSettled([read({ type: 'y' }), read({ type: 'z' })]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    state.away = false;
    await read({ type: 'y' });
    expect(written[1]).toMatchObject({ count: 2, filters: [{ type: 'x' }, { type: 'y' }] });
  });
});
