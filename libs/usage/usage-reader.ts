import { Injectable } from '@nestjs/common';
import type { RefusalReason } from '#event-types';
import { bounded } from '#mongo';
import { DAY_MS, HOUR_MS } from './domain/usage-book.ts';
import { UsageTotals } from './domain/usage-summary.ts';
import type { UsageSummary } from './domain/usage-summary.ts';
import { LastUseRepository } from './persistence/last-use.repository.ts';
import type { LastUses, UsedKind } from './persistence/last-use.repository.ts';
import { UsageRepository } from './persistence/usage.repository.ts';
import type { HourDocument, HourRefusals } from './persistence/usage.repository.ts';

/** Requests within an hour or a day (UTC). */
export interface UsageBucket {
  readonly at: Date;
  readonly issued: number;
  readonly used: number;
  readonly refused: number;
}

export type BucketSize = 'hour' | 'day';

/** The use of a credential in a period, with a bucket for each hour or day of it. */
export interface UsageReport extends UsageSummary {
  /** The period, widened to whole buckets. */
  readonly from: Date;
  readonly to: Date;
  readonly buckets: readonly UsageBucket[];
}

/** Reads what all instances have counted and written: everything up to ten seconds ago. */
@Injectable()
export class UsageReader {
  constructor(
    private readonly repository: UsageRepository,
    private readonly lastUses: LastUseRepository,
  ) {}

  /**
   * The use of these credentials since a moment, to the hour: counts include the whole hour of that moment, and what
   * was last seen before it is left out.
   *
   * @returns an entry for each id, also for unused and unknown ones
   * @throws DomainError `store-unavailable`
   */
  async since(credentialIds: readonly string[], since: Date): Promise<ReadonlyMap<string, UsageSummary>> {
    const totals = new Map(credentialIds.map((id) => [id, new UsageTotals()]));
    await bounded(this.addUp(credentialIds, floor(since, HOUR_MS), (hour) => totals.get(hour.credentialId)?.add(hour)));
    const isSince = ({ lastSeenAt }: { readonly lastSeenAt: Date }): boolean => lastSeenAt >= since;
    const summaries = [...totals].map(([id, own]) => {
      const { lastUsedAt, addresses, apis, secrets, refusals } = own.summary();
      const summary: UsageSummary = {
        lastUsedAt: lastUsedAt !== null && lastUsedAt >= since ? lastUsedAt : null,
        addresses: addresses.filter(isSince),
        apis: apis.filter(isSince),
        secrets: secrets.filter(isSince),
        refusals,
      };
      return [id, summary] as const;
    });
    return new Map(summaries);
  }

  /** @throws DomainError `store-unavailable` */
  async report(credentialId: string, from: Date, to: Date, size: BucketSize): Promise<UsageReport> {
    const sizeMs = size === 'hour' ? HOUR_MS : DAY_MS;
    const first = floor(from, sizeMs);
    const end = new Date(Math.ceil(to.getTime() / sizeMs) * sizeMs);
    const totals = new UsageTotals();
    const buckets = Array.from({ length: (end.getTime() - first.getTime()) / sizeMs }, (_, index) => ({
      at: new Date(first.getTime() + index * sizeMs),
      ...{ issued: 0, used: 0, refused: 0 },
    }));
    const add = (hour: HourDocument): void => {
      totals.add(hour);
      const bucket = buckets[Math.floor((hour.hour.getTime() - first.getTime()) / sizeMs)];
      if (bucket === undefined) return;
      bucket.issued += hour.issued;
      bucket.used += hour.used;
      for (const { count } of hour.refused) bucket.refused += count;
    };
    await bounded(this.addUp([credentialId], first, add, end));
    return { from: first, to: end, buckets, ...totals.summary() };
  }

  /**
   * When this deployment began to record use. Before that moment, "not used" and "not recorded" look the same.
   * @throws DomainError `store-unavailable`
   */
  recordedSince(): Promise<Date> {
    return this.repository.recordedSince();
  }

  /**
   * Which APIs these credentials called since a moment, or from which addresses they were used, the latest first.
   * Includes uses up to an hour before the moment. Credentials without use are left out.
   *
   * @param most per credential
   * @throws DomainError `store-unavailable`
   */
  lastUsed(credentialIds: readonly string[], kind: UsedKind, since: Date, most: number): Promise<LastUses> {
    // the store has the first use within an hour, not the last
    return this.lastUses.of(credentialIds, kind, new Date(since.getTime() - HOUR_MS), most);
  }

  /** Refusals of these credentials by hour. @throws DomainError `store-unavailable` */
  refusals(credentialIds: readonly string[], reasons: readonly RefusalReason[], since: Date): Promise<HourRefusals[]> {
    return bounded(this.repository.refusals(credentialIds, reasons, floor(since, HOUR_MS)));
  }

  private async addUp(
    credentialIds: readonly string[],
    from: Date,
    add: (hour: HourDocument) => void,
    to?: Date,
  ): Promise<void> {
    for await (const hour of this.repository.between(credentialIds, from, to)) add(hour);
  }
}

function floor(time: Date, sizeMs: number): Date {
  return new Date(Math.floor(time.getTime() / sizeMs) * sizeMs);
}
