import { FenceSource } from '../fence-source.ts';
import type { RightsReading } from '../fence-source.ts';
import type { ClusterTime } from '../fenced-state.ts';
import type { RightsVersion } from '../rights.ts';
import { storeUnavailable } from '../store-errors.ts';
import { clusterTime } from './fences.ts';

interface Version<V> {
  readonly time: number;
  readonly value: V | undefined;
}

/** What a read found, and the time of its snapshot. */
export interface Found<V> {
  readonly found: Map<string, V>;
  readonly readAt: ClusterTime;
}

/**
 * A replica set as far as reads are concerned: one history of entries that a majority has, and members that each know it up to a point
 * of their own. A member that lags is a deposed primary (it never catches up, and confirms nothing) or a new one that has committed
 * nothing of its own term yet (it catches up when it is released).
 */
export class ReplicaSetModel<V> {
  private time = 1;
  private readonly versions = new Map<string, Version<V>[]>();
  private lagging:
    { readonly time: number; readonly released: Promise<void>; readonly release: () => void } | undefined;

  /** Commits values, or deletions, at one time. @returns that time */
  commit(changes: Readonly<Record<string, V | undefined>>): number {
    this.time += 1;
    for (const [key, value] of Object.entries(changes)) {
      const versions = this.versions.get(key) ?? [];
      // nobody reads what was superseded before the lagging member's snapshot
      const kept = versions.filter(({ time }, index) => {
        const next = versions[index + 1];
        return time >= this.snapshotOf('lagging') || next === undefined || next.time > this.snapshotOf('lagging');
      });
      this.versions.set(key, [...kept, { time: this.time, value }]);
    }
    return this.time;
  }

  /** From now on one member knows no more than it does. */
  lag(): void {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.lagging ??= { time: this.time, released, release };
  }

  /** The lagging member catches up, or its callers learn that it is deposed and go elsewhere. */
  catchUp(): void {
    const before = this.lagging;
    this.lagging = undefined;
    before?.release();
  }

  /** A linearizable read at the primary: it appends an entry. */
  prove(): ClusterTime {
    this.time += 1;
    return clusterTime(this.time);
  }

  /**
   * A majority read.
   *
   * @param floor its `afterClusterTime`; undefined: it has none
   * @throws DomainError `store-unavailable` when the member does not get there within a second
   */
  async read(
    member: 'primary' | 'lagging',
    keys: readonly string[],
    floor: ClusterTime | undefined,
  ): Promise<Found<V>> {
    if (floor !== undefined && floor.greaterThan(clusterTime(this.snapshotOf(member)))) {
      await Promise.race([this.lagging?.released, late()]);
      if (floor.greaterThan(clusterTime(this.snapshotOf(member)))) throw storeUnavailable();
    }
    const time = this.snapshotOf(member);
    const found = keys.flatMap((key) => {
      const value = this.versions.get(key)?.findLast((version) => version.time <= time)?.value;
      return value === undefined ? [] : [[key, value] as const];
    });
    return { found: new Map(found), readAt: clusterTime(time) };
  }

  private snapshotOf(member: 'primary' | 'lagging'): number {
    return member === 'lagging' ? (this.lagging?.time ?? this.time) : this.time;
  }
}

async function late(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}

/**
 * Fences at the primary of the model, or never answered where `reaches` says that they go to the lagging member. The model's value of a
 * scope is its rights version.
 */
export class ModelFenceSource extends FenceSource {
  /** @param delay how long each way takes */
  constructor(
    private readonly model: ReplicaSetModel<unknown>,
    private readonly delay: () => Promise<unknown> = () => Promise.resolve(),
    private readonly reaches: () => 'primary' | 'lagging' = () => 'primary',
  ) {
    super();
  }

  override async prove(): Promise<ClusterTime> {
    await this.delay();
    if (this.reaches() === 'lagging') throw storeUnavailable();
    const time = this.model.prove();
    await this.delay();
    return time;
  }

  override async versions(after: ClusterTime, scopes: readonly string[]): Promise<RightsReading> {
    await this.delay();
    const { found, readAt } = await this.model.read(this.reaches(), scopes, after);
    await this.delay();
    return { versions: found as Map<string, RightsVersion>, readAt };
  }
}
