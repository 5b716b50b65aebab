import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventCatalogue } from '#event-types';
import type { OutboxDocument } from '#events';
import type { MongoStore } from '#mongo';
import type { Metrics } from '#observability';
import type { JobQueues } from './job-queues.ts';
import { OutboxRelay } from './outbox-relay.ts';
import type { OutboxRows } from './outbox-rows.ts';
import { WakeRelay } from './wake-relay.ts';

/** Where `@EventsHandler` keeps the classes that it was given. */
const EVENTS_HANDLER_METADATA = '__eventsHandler__';

const row = (id: string, attempts = 0): OutboxDocument => ({ _id: id, attempts }) as OutboxDocument;

/** A relay whose store answers with `batches`, one for each claim, and then with nothing. */
function relayOf(batches: OutboxDocument[][], add: () => Promise<void> = () => Promise.resolve()) {
  const state = { isReady: true, claims: 0, retried: [] as string[] };
  const added = jest.fn((..._job: unknown[]) => add());
  const warn = jest.fn();
  const rows = {
    count: () => Promise.resolve(7),
    claim: () => Promise.resolve(((state.claims += 1), batches.shift() ?? [])),
    retrySoon: (ids: string[]) => {
      state.retried.push(...ids);
      return Promise.resolve();
    },
  };
  const pending = jest.fn();
  const relay = new OutboxRelay(
    {
      get ready() {
        return state.isReady;
      },
    } as MongoStore,
    rows as unknown as OutboxRows,
    { add: added } as unknown as JobQueues,
    { outboxPending: { set: pending } } as unknown as Metrics,
    { warn, debug: jest.fn(), error: jest.fn() } as never,
  );
  return { relay, state, added, warn, pending };
}

const settled = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

describe('OutboxRelay', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('queues due rows in chunks until none is left, and measures the outbox', async () => {
    const { relay, state, added, pending } = relayOf([[row('a'), row('b')], [row('c')]]);
    relay.wake();
    await settled();
    expect(added.mock.calls.map(([queue, , payload]) => [queue, payload])).toEqual([
      ['token-purge', { outboxIds: ['a', 'b'] }],
      ['token-purge', { outboxIds: ['c'] }],
    ]);
    expect(state.claims).toBe(3);
    expect(pending).toHaveBeenCalledWith(7);
  });

  it('gives each attempt its own job id, since BullMQ drops a job whose id a kept job has', async () => {
    const { relay, added } = relayOf([[row('a', 0)], [row('a', 1)]]);
    relay.wake();
    await settled();
    expect(added.mock.calls.map(([, , , options]) => options)).toEqual([{ jobId: 'a-0' }, { jobId: 'a-1' }]);
  });

  it('keeps the rows for a retry, and stops the pass, when Redis takes no job', async () => {
    const { relay, state, added, warn } = relayOf([[row('a')], [row('b')]], () => Promise.reject(new Error('away')));
    relay.wake();
    await settled();
    expect(added).toHaveBeenCalledTimes(1);
    expect(state.retried).toEqual(['a']);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('starts another pass when it is woken during one', async () => {
    const { relay, state } = relayOf([]);
    relay.wake();
    relay.wake();
    relay.wake();
    await settled();
    expect(state.claims).toBe(2);
  });

  it('looks every second without being woken', async () => {
    const { relay, state } = relayOf([]);
    relay.onApplicationBootstrap();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(state.claims).toBe(3);
    await relay.beforeApplicationShutdown();
    relay.wake();
    await jest.advanceTimersByTimeAsync(3_000);
    expect(state.claims).toBe(3);
  });

  it('asks nothing of a store that is away', async () => {
    const { relay, state } = relayOf([]);
    state.isReady = false;
    relay.wake();
    await settled();
    expect(state.claims).toBe(0);
  });

  it('is woken by every event that has follow-up work', () => {
    // one handler per follow-up: a type without one would wait for the next poll
    const handled = (Reflect.getMetadata(EVENTS_HANDLER_METADATA, WakeRelay) as { type: string }[]).map(
      ({ type }) => type,
    );
    expect(handled).toEqual(eventCatalogue.flatMap(({ type, followUp }) => (followUp === undefined ? [] : [type])));
  });
});
