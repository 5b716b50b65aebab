import { Injectable } from '@nestjs/common';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { Resurrections } from './resurrections.ts';
import type { Resurrection } from './resurrections.ts';

/** How the store compares with the tombstones. */
export interface RestoreFindings extends Awaited<ReturnType<TombstoneReview['run']>> {
  readonly resurrections: readonly Resurrection[];
}

/** Compares all tombstones with the store: the event log, and what lives. */
@Injectable()
export class RestoreCheck {
  constructor(
    private readonly review: TombstoneReview,
    private readonly resurrections: Resurrections,
  ) {}

  /** @throws Error when the directory cannot be read; DomainError `store-unavailable` */
  async run(): Promise<RestoreFindings> {
    const found = new Map<string, Resurrection>();
    const findings = await this.review.run(async (batch) => {
      for (const one of await this.resurrections.find(batch)) found.set(`${one.kind} ${one.id}`, one);
    });
    return { ...findings, resurrections: [...found.values()] };
  }
}

/** Whether the store agrees with the tombstones, and all of them could be read. */
export function isSound({ lost, resurrections, unreadable }: RestoreFindings): boolean {
  return lost.length + resurrections.length + unreadable.length === 0;
}
