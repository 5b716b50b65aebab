import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Fence } from './fence.ts';
import { FenceSource } from './fence-source.ts';
import type { RightsReading } from './fence-source.ts';
import type { ClusterTime, FencedState } from './fenced-state.ts';
import { aFence, clusterTime } from './test-support/fences.ts';

/** A store whose answers are given by hand. */
class ManualSource extends FenceSource {
  readonly sent: { readonly answer: (seconds: number) => void; readonly fail: (error: Error) => void }[] = [];

  override prove(): Promise<ClusterTime> {
    return new Promise((resolve, reject) => {
      this.sent.push({ answer: (seconds) => resolve(clusterTime(seconds)), fail: reject });
    });
  }

  override versions(after: ClusterTime): Promise<RightsReading> {
    return Promise.resolve({ versions: new Map(), readAt: after });
  }

  /** Answers the fence that was sent last. */
  async answer(seconds: number): Promise<void> {
    this.sent.at(-1)?.answer(seconds);
    await jest.advanceTimersByTimeAsync(0);
  }

  /** Has the fence that was sent last fail. */
  async fail(message: string): Promise<void> {
    this.sent.at(-1)?.fail(new Error(message));
    await jest.advanceTimersByTimeAsync(0);
  }
}

describe('Fence', () => {
  let source: ManualSource;
  let fence: Fence;

  const outcome = (promise: Promise<FencedState>): Promise<unknown> =>
    promise.then(
      (state) => state,
      (error: unknown) => (error as { code?: string }).code,
    );

  beforeEach(() => {
    jest.useFakeTimers();
    source = new ManualSource();
    fence = aFence(250, source);
  });

  afterEach(() => {
    fence.onApplicationShutdown();
    jest.useRealTimers();
  });

  /** Asks again and again, so that the fence does not pause. */
  async function askFor(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      fence.current();
      await jest.advanceTimersByTimeAsync(10);
    }
  }

  it('has no state before the first fence is answered, and sends it for the first caller', async () => {
    expect(source.sent).toHaveLength(0);
    expect(fence.current()).toBeUndefined();
    expect(source.sent).toHaveLength(1);
    const ready = fence.ready();
    await source.answer(5);
    expect((await ready).floor).toEqual(clusterTime(5));
    expect(fence.current()).toBe(await ready);
  });

  it('counts the lease from before the fence was sent, however late its reply is', async () => {
    fence.current();
    await jest.advanceTimersByTimeAsync(200);
    await source.answer(1);
    expect(fence.current()?.sentAtMs).toBe(performance.now() - 200);
    await jest.advanceTimersByTimeAsync(49);
    expect(fence.current()).toBeDefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(fence.current()).toBeUndefined();
  });

  it('does not use a state after a suspension, which only the wall clock shows', async () => {
    fence.current();
    await source.answer(1);
    expect(fence.current()).toBeDefined();
    jest.setSystemTime(Date.now() + 250);
    expect(fence.current()).toBeUndefined();
  });

  it('lets a caller wait for a state, and throws store-unavailable if none arrives in time', async () => {
    const told = outcome(fence.ready(1_000));
    await source.fail('no primary');
    await jest.advanceTimersByTimeAsync(999);
    expect(source.sent.length).toBeGreaterThan(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await told).toBe('store-unavailable');
  });

  it('uses the start of a verification: a state that expired before it was published still serves those that began in time', async () => {
    const early = outcome(fence.ready(1_000));
    await jest.advanceTimersByTimeAsync(260);
    const late = outcome(fence.ready(1_000));
    await source.answer(1);
    expect(await early).toMatchObject({ floor: clusterTime(1) });
    // whoever began 260 ms after it was sent waits for the next one, which is sent without a pause
    expect(source.sent).toHaveLength(2);
    await source.answer(2);
    expect(await late).toMatchObject({ floor: clusterTime(2) });
  });

  it('sends a fence every 100 ms while it is used, one at a time', async () => {
    fence.current();
    await source.answer(1);
    await askFor(90);
    expect(source.sent).toHaveLength(1);
    await askFor(20);
    expect(source.sent).toHaveLength(2);
    await askFor(500);
    expect(source.sent).toHaveLength(2);
  });

  it('pauses a second after the last use, and resumes with the next', async () => {
    fence.current();
    let time = 0;
    const answering = setInterval(() => source.sent.at(-1)?.answer((time += 1)), 1);
    await jest.advanceTimersByTimeAsync(1_300);
    const before = source.sent.length;
    expect(before).toBeGreaterThan(5);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(source.sent).toHaveLength(before);
    const ready = fence.ready();
    await jest.advanceTimersByTimeAsync(2);
    clearInterval(answering);
    expect((await ready).sentAtMs).toBeGreaterThan(performance.now() - 10);
    expect(source.sent).toHaveLength(before + 1);
  });

  it('treats a time that does not grow as another history, and discards everything known', async () => {
    fence.current();
    await source.answer(7);
    const state = fence.current()!;
    expect(fence.isPresent(state)).toBe(true);
    await askFor(110);
    await source.answer(7);
    expect(fence.current()).toBeUndefined();
    expect(fence.isPresent(state)).toBe(false);
    // the floor of the lost history would never be reached
    await askFor(60);
    await source.answer(3);
    expect(fence.current()?.floor).toEqual(clusterTime(3));
  });

  it('never lowers the floor below this instance’s own commits, and never changes a published state', async () => {
    fence.current();
    await source.answer(5);
    const before = fence.current()!;
    fence.advance(clusterTime(9));
    expect(before.floor).toEqual(clusterTime(5));
    expect(fence.current()).toMatchObject({ floor: clusterTime(9), sentAtMs: before.sentAtMs });
    await askFor(110);
    await source.answer(6);
    expect(fence.current()?.floor).toEqual(clusterTime(9));
    fence.advance(undefined);
    expect(fence.current()?.floor).toEqual(clusterTime(9));
  });

  it('sends a fence per simultaneous group of callers with a lease of 0, and none otherwise', async () => {
    fence.onApplicationShutdown();
    fence = aFence(0, source);
    expect(fence.current()).toBeUndefined();
    await askFor(1_000);
    expect(source.sent).toHaveLength(0);
    const first = fence.ready();
    await jest.advanceTimersByTimeAsync(5);
    const second = outcome(fence.ready());
    expect(source.sent).toHaveLength(1);
    await source.answer(1);
    expect((await first).floor).toEqual(clusterTime(1));
    expect(source.sent).toHaveLength(2);
    await source.answer(2);
    expect(await second).toMatchObject({ floor: clusterTime(2) });
    expect(fence.current()).toBeUndefined();
  });
});
