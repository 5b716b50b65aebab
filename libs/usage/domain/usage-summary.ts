import type { RefusalReason } from '#event-types';
import { DAY_MS, MAX_ADDRESSES, OTHER_ADDRESSES, UNKNOWN_ADDRESS } from './usage-book.ts';

export interface AddressUse {
  /** `other`: the addresses beyond 50 a day. `unknown`: the resource server did not send it. */
  readonly address: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

export interface ApiUse {
  readonly api: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

export interface SecretUse {
  readonly secretId: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

/** The use of one credential within a period. The lists have the most frequent first. */
export interface UsageSummary {
  readonly lastUsedAt: Date | null;
  readonly addresses: readonly AddressUse[];
  readonly apis: readonly ApiUse[];
  readonly secrets: readonly SecretUse[];
  readonly refusals: readonly { readonly reason: RefusalReason; readonly count: number }[];
}

interface Seen {
  readonly key: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

/** What one instance counted within one hour. */
interface CountedHour {
  readonly hour: Date;
  readonly lastUsedAt: Date | null;
  readonly refused: UsageSummary['refusals'];
  readonly addresses: readonly Seen[];
  readonly apis: readonly Seen[];
  readonly secrets: readonly Seen[];
}

/** Adds up what several instances counted in several hours. */
export class UsageTotals {
  private lastUsedAt: Date | null = null;
  private readonly addressesByDay = new Map<number, Map<string, Seen>>();
  private readonly apis = new Map<string, Seen>();
  private readonly secrets = new Map<string, Seen>();
  private readonly refusals = new Map<RefusalReason, number>();

  add({ hour, lastUsedAt, refused, addresses, apis, secrets }: CountedHour): void {
    if (lastUsedAt !== null && (this.lastUsedAt === null || lastUsedAt > this.lastUsedAt)) this.lastUsedAt = lastUsedAt;
    const day = Math.floor(hour.getTime() / DAY_MS);
    const ofDay = this.addressesByDay.get(day) ?? new Map<string, Seen>();
    this.addressesByDay.set(day, ofDay);
    addAll(ofDay, addresses);
    addAll(this.apis, apis);
    addAll(this.secrets, secrets);
    for (const { reason, count } of refused) this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + count);
  }

  summary(): UsageSummary {
    const addresses = new Map<string, Seen>();
    for (const ofDay of this.addressesByDay.values()) addAll(addresses, limited(ofDay));
    return {
      lastUsedAt: this.lastUsedAt,
      addresses: sorted(addresses).map(({ key, ...rest }) => ({ address: key, ...rest })),
      apis: sorted(this.apis).map(({ key, ...rest }) => ({ api: key, ...rest })),
      secrets: sorted(this.secrets).map(({ key, ...rest }) => ({ secretId: key, ...rest })),
      refusals: [...this.refusals].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count),
    };
  }
}

function addAll(totals: Map<string, Seen>, seen: readonly Seen[]): void {
  for (const { key, count, lastSeenAt } of seen) {
    const known = totals.get(key);
    const last = known === undefined || lastSeenAt > known.lastSeenAt ? lastSeenAt : known.lastSeenAt;
    totals.set(key, { key, count: count + (known?.count ?? 0), lastSeenAt: last });
  }
}

/** The addresses of one day. Each instance keeps to the maximum; together they may exceed it. */
function limited(ofDay: ReadonlyMap<string, Seen>): Seen[] {
  const isCollective = ({ key }: Seen): boolean => key === OTHER_ADDRESSES || key === UNKNOWN_ADDRESS;
  const all = sorted(ofDay);
  const own = all.filter((seen) => !isCollective(seen));
  const beyond = own.slice(MAX_ADDRESSES).map((seen) => ({ ...seen, key: OTHER_ADDRESSES }));
  return [...own.slice(0, MAX_ADDRESSES), ...beyond, ...all.filter(isCollective)];
}

function sorted(seen: ReadonlyMap<string, Seen>): Seen[] {
  return [...seen.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
}
