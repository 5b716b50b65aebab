import type { RefusalReason } from '#event-types';
import { newId } from '#kernel';
import { HourUsage } from './hour-usage.ts';
import type { Sighting } from './hour-usage.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** The maximum number of addresses of a credential within a day (UTC). */
export const MAX_ADDRESSES = 50;
/** Stands for the addresses beyond the maximum. */
export const OTHER_ADDRESSES = 'other';
/** The address of uses for which the resource server sent none. */
export const UNKNOWN_ADDRESS = 'unknown';
/** A counter takes about 150 bytes, so this is some 40 MB. */
const MAX_COUNTERS = 250_000;

/** The counters of one credential. */
interface CountedCredential {
  hour: HourUsage;
  dayMs: number;
  /** The addresses of that day that have counters of their own. */
  addresses: Set<string>;
}

/**
 * The counters that one instance has in memory. They are bounded: beyond the maximum a new address counts as `other`,
 * and other new things are not counted. The methods that count return whether everything was counted.
 */
export class UsageBook {
  private readonly credentials = new Map<string, CountedCredential>();
  /** Past hours that are not written yet. */
  private past: HourUsage[] = [];
  private counters = 0;

  constructor(private readonly maxCounters = MAX_COUNTERS) {}

  /** The number of counters in memory. */
  get size(): number {
    return this.counters;
  }

  issued(credentialId: string, secretId: string, address: string, nowMs: number): boolean {
    const counted = this.at(credentialId, nowMs);
    if (counted === undefined) return false;
    counted.hour.issued += 1;
    this.countAddress(counted, address, nowMs);
    return this.count(counted.hour.secrets, secretId, nowMs);
  }

  used(credentialId: string, apis: readonly string[], address: string, nowMs: number): boolean {
    const counted = this.at(credentialId, nowMs);
    if (counted === undefined) return false;
    counted.hour.used += 1;
    this.countAddress(counted, address, nowMs);
    let isComplete = true;
    for (const api of apis) if (!this.count(counted.hour.apis, api, nowMs)) isComplete = false;
    return isComplete;
  }

  /** Without the address: strangers who know a client id must not use up the addresses of the credential. */
  refused(credentialId: string, reason: RefusalReason, nowMs: number): boolean {
    const hour = this.at(credentialId, nowMs)?.hour;
    if (hour === undefined) return false;
    const count = hour.refused.get(reason);
    if (count === undefined) this.counters += 1; // there are few reasons
    hour.refused.set(reason, (count ?? 0) + 1);
    return true;
  }

  /** Everything that the store does not have yet. */
  unwritten(): HourUsage[] {
    const current = [...this.credentials.values()].map(({ hour }) => hour).filter((hour) => !hour.isWritten);
    return [...this.past, ...current];
  }

  /** Call after a write: forgets what is written and over, and if memory is short, all that is written. */
  forgetWritten(nowMs: number): void {
    for (const hour of this.past) if (hour.isWritten) this.counters -= hour.size;
    this.past = this.past.filter((hour) => !hour.isWritten);
    const isShort = this.counters > this.maxCounters / 2;
    for (const [id, { hour, dayMs, addresses }] of this.credentials) {
      if (!hour.isWritten || !(isShort || nowMs >= dayMs + DAY_MS)) continue;
      this.credentials.delete(id);
      this.counters -= hour.size + addresses.size;
    }
  }

  private at(credentialId: string, nowMs: number): CountedCredential | undefined {
    const hourMs = nowMs - (nowMs % HOUR_MS);
    const known = this.credentials.get(credentialId);
    const counted = known?.hour.atMs === hourMs ? known : this.beginHour(credentialId, known, hourMs);
    if (counted !== undefined) counted.hour.revision += 1;
    return counted;
  }

  private beginHour(
    credentialId: string,
    known: CountedCredential | undefined,
    hourMs: number,
  ): CountedCredential | undefined {
    if (known?.hour.isWritten === true) this.counters -= known.hour.size;
    else if (known !== undefined) this.past.push(known.hour);
    const dayMs = hourMs - (hourMs % DAY_MS);
    const isSameDay = known?.dayMs === dayMs;
    if (known !== undefined && !isSameDay) this.counters -= known.addresses.size;
    if (this.counters >= this.maxCounters) {
      if (isSameDay) this.counters -= known.addresses.size;
      this.credentials.delete(credentialId);
      return undefined;
    }
    const hour = new HourUsage(newId('uh'), credentialId, hourMs);
    const counted = { hour, dayMs, addresses: isSameDay ? known.addresses : new Set<string>() };
    this.credentials.set(credentialId, counted);
    this.counters += 1;
    return counted;
  }

  private countAddress({ hour, addresses }: CountedCredential, address: string, nowMs: number): void {
    hour.lastUsedMs = nowMs;
    if (hour.addresses.has(address) || address === UNKNOWN_ADDRESS || addresses.has(address)) {
      if (this.count(hour.addresses, address, nowMs)) return;
    } else if (addresses.size < MAX_ADDRESSES && this.count(hour.addresses, address, nowMs)) {
      addresses.add(address);
      this.counters += 1;
      return;
    }
    this.count(hour.addresses, OTHER_ADDRESSES, nowMs, true);
  }

  /** @param always also beyond the maximum @returns whether it was counted */
  private count(sightings: Map<string, Sighting>, key: string, nowMs: number, always = false): boolean {
    const sighting = sightings.get(key);
    if (sighting !== undefined) {
      sighting.count += 1;
      sighting.lastMs = nowMs;
      return true;
    }
    if (this.counters >= this.maxCounters && !always) return false;
    sightings.set(key, { count: 1, lastMs: nowMs });
    this.counters += 1;
    return true;
  }
}
