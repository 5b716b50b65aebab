import { storeUnavailable } from '#mongo';
import { FenceSource } from '../fence-source.ts';
import type { RightsReading } from '../fence-source.ts';
import type { ClusterTime } from '../fenced-state.ts';
import type { RightsVersion } from '../rights.ts';
import { clusterTime } from './fences.ts';

interface Version<V> {
  readonly time: number;
  readonly value: V | undefined;
}

/** The values that a read found, and the time of its snapshot. */
export interface Found<V> {
  readonly found: Map<string, V>;
  readonly readAt: ClusterTime;
}

/**
 * A model of a replica set for reads: one majority history, which each member knows up to some point. A lagging member
 * is a deposed primary (never catches up) or a new one before its first commit (catches up when released).
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
      // versions older than the lagging member's snapshot are never read
      const kept = versions.filter(({ time }, index) => {
        const next = versions[index + 1];
        return time >= this.snapshotOf('lagging') || next === undefined || next.time > this.snapshotOf('lagging');
      });
      this.versions.set(key, [...kept, { time: this.time, value }]);
    }
    return this.time;
  }

  /** From now on one member learns nothing new. */
  lag(): void {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.lagging ??= { time: this.time, released, release };
  }

  /** The lagging member catches up, or its callers notice that it is deposed and use another one. */
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
   * @param floor the `afterClusterTime` of the read, if it has one
   * @throws DomainError `store-unavailable` if the member does not reach it within a second
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
 * Fences at the primary of the model; unanswered while `reaches` names the lagging member. The model's value of a scope
 * is its rights version.
 */
export class ModelFenceSource extends FenceSource {
  /** @param delay awaited once in each direction */
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
