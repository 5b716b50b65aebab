import { Injectable } from '@nestjs/common';
import { UserStatuses } from '#events';
import { Metrics } from '#observability';
import { PeopleResurrections } from './people-resurrections.ts';
import type { Resurrection } from './resurrection.ts';
import { Resurrections } from './resurrections.ts';
import { TombstoneReview } from './tombstones/tombstone-review.ts';

/** The differences between the store and the tombstones. */
export interface RestoreFindings extends Awaited<ReturnType<TombstoneReview['run']>> {
  readonly resurrections: readonly Resurrection[];
}

/** Compares all tombstones with the store: the event log and the live objects. */
@Injectable()
export class RestoreCheck {
  constructor(
    private readonly review: TombstoneReview,
    private readonly resurrections: Resurrections,
    private readonly people: PeopleResurrections,
    private readonly metrics: Metrics,
  ) {}

  /** Whether there are tombstones to compare with. */
  get isOn(): boolean {
    return this.review.isOn;
  }

  /** Whether the chains still contain all known marks. Costs one look-up per chain. */
  async marksHold(): Promise<boolean> {
    return this.review.marksHold();
  }

  /** @throws Error when the folder cannot be read; DomainError `store-unavailable` */
  async run(): Promise<RestoreFindings> {
    const found = new Map<string, Resurrection>();
    const note = (one: Resurrection): unknown => found.set(`${one.kind} ${one.id}`, one);
    const statuses = new UserStatuses();
    const findings = await this.review.run(async (batch) => {
      for (const line of batch) statuses.add(line);
      for (const one of await this.resurrections.find(batch)) note(one);
    });
    for (const one of await this.people.enabledAgain(statuses)) note(one);
    this.metrics.restoredBehind.set(findings.lost.length + found.size);
    return { ...findings, resurrections: [...found.values()] };
  }
}

/** Whether all tombstones are readable and the store agrees with them. */
export function isSound({ lost, resurrections, unreadable }: RestoreFindings): boolean {
  return lost.length + resurrections.length + unreadable.length === 0;
}
