import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Fence } from './fence.ts';
import { FenceSource } from './fence-source.ts';
import type { RightsReading } from './fence-source.ts';
import type { ClusterTime, FencedState } from './fenced-state.ts';
import { LeasedReader } from './leased-reader.ts';
import type { DependsOn, RightsVersion } from './rights.ts';
import { clusterTime } from './test-support/fences.ts';

interface Thing {
  readonly id: string;
  readonly is: string;
}

/** A call that the test answers when it likes. */
interface Call<A, R> {
  readonly asked: A;
  readonly answer: (reply: R) => Promise<void>;
}

class Calls<A, R> {
  readonly all: Call<A, R>[] = [];

  ask(asked: A): Promise<R> {
    return new Promise((resolve) => {
      const answer = async (reply: R): Promise<void> => {
        resolve(reply);
        await settled();
      };
      this.all.push({ asked, answer });
    });
  }

  get last(): Call<A, R> {
    return this.all.at(-1)!;
  }
}

const settled = (): Promise<void> => jest.advanceTimersByTimeAsync(1);

/** A store all of whose answers are given by hand, so that every order of them can be told. */
class HandStore extends FenceSource {
  readonly fences = new Calls<undefined, ClusterTime>();
  readonly rights = new Calls<ClusterTime, RightsReading>();
  readonly reads = new Calls<FencedState, Thing[]>();

  override prove(): Promise<ClusterTime> {
    return this.fences.ask(undefined);
  }

  override versions(after: ClusterTime): Promise<RightsReading> {
    return this.rights.ask(after);
  }

  async load(state: FencedState): Promise<Map<string, Thing>> {
    return new Map((await this.reads.ask(state)).map((thing) => [thing.id, thing]));
  }
}

const OLD: Thing = { id: 'a', is: 'good' };
const version = (rights: string, ended = 'e1'): RightsVersion => ({ rights, ended });

describe('the rights version', () => {
  let store: HandStore;
  let fence: Fence;
  let reader: LeasedReader<Thing>;

  beforeEach(() => {
    jest.useFakeTimers();
    store = new HandStore();
    start('rights and ended');
  });
  afterEach(() => {
    fence.onApplicationShutdown();
    jest.useRealTimers();
  });

  function start(dependsOn: DependsOn): void {
    const silent = { debug: () => undefined, error: () => undefined };
    fence = new Fence(store, { leaseMs: 250, rightsVersion: true }, silent);
    reader = new LeasedReader(fence, { load: (_keys, state) => store.load(state), scopeOf: () => 'op', dependsOn });
  }

  /** The next fence, with what the rights are then. @param readAt the time that the reply with the rights carries */
  async function fenced(at: number, rights: RightsVersion | undefined, readAt = at): Promise<void> {
    const count = store.fences.all.length;
    const sent = store.rights.all.length;
    fence.current();
    for (let passed = 0; store.fences.all.length === count && passed < 300; passed += 10) {
      await jest.advanceTimersByTimeAsync(10);
    }
    await store.fences.last.answer(clusterTime(at));
    // nothing is asked where rights versions are not used any more
    if (store.rights.all.every((_call, index) => index < sent)) return;
    const versions = new Map(rights === undefined ? [] : [['op', rights]]);
    await store.rights.last.answer({ versions, readAt: clusterTime(readAt) });
  }

  /** A state in which the operation is watched and has these rights. */
  async function begun(rights: RightsVersion | null = version('r5')): Promise<void> {
    fence.watch('op');
    void fence.ready();
    await settled();
    await store.fences.last.answer(clusterTime(90));
    const versions = new Map(rights === null ? [] : [['op', rights]]);
    await store.rights.last.answer({ versions, readAt: clusterTime(90) });
  }

  /** Remembers the thing, as read under the present state. */
  async function learned(): Promise<void> {
    const got = reader.get('a');
    await settled();
    await store.reads.last.answer([OLD]);
    expect(await got).toBe(OLD);
  }

  /** Goes on until what was read now is past its lease; the rights stay as given. */
  async function leaseOver(rights: RightsVersion | undefined, from = 200): Promise<void> {
    for (let count = 0; count < 4; count += 1) await fenced(from + count, rights);
  }

  it('keeps a document without a read while the version stays the same', async () => {
    await begun();
    await learned();
    for (let count = 0; count < 50; count += 1) await fenced(100 + count, version('r5'));
    expect(reader.peek('a')).toBe(OLD);
    expect(store.reads.all).toHaveLength(1);
  });

  it.each([
    ['rights', version('r6')],
    ['ended', version('r5', 'e2')],
  ])('does not use a token after %s changed and the lease expired', async (_what, changed) => {
    await begun();
    await learned();
    await leaseOver(changed);
    expect(reader.peek('a')).toBeUndefined();
  });

  it('keeps a credential if only tokens ended, and drops it if its rights changed', async () => {
    start('rights');
    await begun();
    await learned();
    await leaseOver(version('r5', 'e2'));
    expect(reader.peek('a')).toBe(OLD);
    await leaseOver(version('r6', 'e2'), 300);
    expect(reader.peek('a')).toBeUndefined();
  });

  it('reads the version after the fence reply, and documents from no earlier snapshot than the version', async () => {
    fence.watch('op');
    void fence.ready();
    await settled();
    expect(store.rights.all).toHaveLength(0);
    await store.fences.last.answer(clusterTime(90));
    expect(store.rights.last.asked).toEqual(clusterTime(90));
    expect(fence.current()).toBeUndefined();
    // the version came from a member that is further than the fence
    await store.rights.last.answer({ versions: new Map([['op', version('r6')]]), readAt: clusterTime(110) });
    const got = reader.get('a');
    await settled();
    expect(store.reads.last.asked.floor).toEqual(clusterTime(110));
    await store.reads.last.answer([]);
    expect(await got).toBeUndefined();
  });

  it('labels a document with the state that its read was sent under, however late the reply is', async () => {
    await begun(version('r5'));
    const got = reader.get('a');
    await settled();
    const read = store.reads.last;
    await fenced(110, version('r6'));
    // its snapshot is from before the change: it must not pass for a document of r6
    await read.answer([OLD]);
    await got;
    await leaseOver(version('r6'));
    expect(reader.peek('a')).toBeUndefined();
  });

  it('does not treat two missing versions as equal', async () => {
    await begun(null);
    await learned();
    await leaseOver(undefined);
    expect(reader.peek('a')).toBeUndefined();
  });

  it('caches no absence, whatever the version is', async () => {
    await begun();
    const got = reader.get('a');
    await settled();
    await store.reads.last.answer([]);
    expect(await got).toBeUndefined();
    const again = reader.get('a');
    await settled();
    expect(store.reads.all).toHaveLength(2);
    await store.reads.last.answer([OLD]);
    expect(await again).toBe(OLD);
  });

  it('uses nothing without a fence, and proves everything again without a read when fences return', async () => {
    await begun();
    await learned();
    fence.current();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(reader.peek('a')).toBeUndefined();
    const told = reader.get('a').then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    );
    await jest.advanceTimersByTimeAsync(1_300);
    expect(await told).toBe('store-unavailable');
    await store.fences.last.answer(clusterTime(300));
    await store.rights.last.answer({ versions: new Map([['op', version('r5')]]), readAt: clusterTime(300) });
    await fenced(301, version('r5'));
    expect(reader.peek('a')).toBe(OLD);
    expect(store.reads.all).toHaveLength(1);
  });

  it('answers a question that had to wait for the fence from memory, where the version is still the same', async () => {
    await begun();
    await learned();
    fence.current();
    await jest.advanceTimersByTimeAsync(2_000);
    const got = reader.get('a');
    await settled();
    // the first one was sent too long ago, so another one follows
    for (const at of [300, 301]) {
      await store.fences.last.answer(clusterTime(at));
      await store.rights.last.answer({ versions: new Map([['op', version('r5')]]), readAt: clusterTime(at) });
    }
    expect(store.reads.all).toHaveLength(1);
    expect(await got).toBe(OLD);
  });

  it('discards everything in another history, even if the version is the same', async () => {
    await begun();
    await learned();
    await fenced(80, version('r5'));
    await fenced(81, version('r5'));
    expect(fence.current()).toBeDefined();
    expect(reader.peek('a')).toBeUndefined();
  });

  it('discards everything when distrusted, and caches reads for one lease only', async () => {
    await begun();
    await learned();
    fence.distrustRights();
    expect(reader.peek('a')).toBeUndefined();
    await fenced(200, version('r5'));
    await fenced(201, version('r5'));
    expect(reader.peek('a')).toBeUndefined();
    await learned();
    expect(reader.peek('a')).toBe(OLD);
    await leaseOver(version('r5'), 300);
    expect(reader.peek('a')).toBeUndefined();
  });

  it('does not cache reads that were in progress when it was distrusted', async () => {
    await begun();
    await learned();
    const count = store.rights.all.length;
    while (store.rights.all.length === count) {
      fence.current();
      await jest.advanceTimersByTimeAsync(10);
      if (store.fences.all.length > count) await store.fences.last.answer(clusterTime(100));
    }
    fence.distrustRights();
    await store.rights.last.answer({ versions: new Map([['op', version('r5')]]), readAt: clusterTime(100) });
    await learned();
    await leaseOver(version('r5'), 300);
    expect(reader.peek('a')).toBeUndefined();
  });

  describe('under audit', () => {
    /**
     * Compares what is remembered with a store that has `stored`.
     * @param then the version that the fence after the read finds
     */
    async function audited(stored: Thing[], then = version('r5')): Promise<unknown> {
      await begun();
      await learned();
      const result = reader.audit(100, 0);
      await fenced(200, version('r5'));
      await store.reads.last.answer(stored);
      await fenced(201, then);
      await fenced(202, then);
      return result;
    }

    it('finds a document that differs from the store under an equal version', async () => {
      const expected = { compared: 1, differing: ['a'], isRoundOver: true };
      expect(await audited([{ id: 'a', is: 'changed' }])).toEqual(expected);
    });

    it('finds a document that the store no longer has under an equal version', async () => {
      expect(await audited([])).toEqual({ compared: 1, differing: ['a'], isRoundOver: true });
    });

    it('accepts documents that are equal', async () => {
      expect(await audited([{ ...OLD }])).toEqual({ compared: 1, differing: [], isRoundOver: true });
    });

    it('does not report a change that came with a new version', async () => {
      expect(await audited([], version('r6'))).toEqual({ compared: 0, differing: [], isRoundOver: true });
    });
  });
});
