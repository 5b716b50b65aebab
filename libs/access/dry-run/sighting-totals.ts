import type { Sighting } from '../domain/refused-use.ts';

/** Adds up what was seen of several credentials. */
export class SightingTotals {
  private readonly byName = new Map<string, Sighting>();

  add(sightings: readonly Sighting[]): void {
    for (const sighting of sightings) {
      const known = this.byName.get(sighting.name);
      this.byName.set(sighting.name, known === undefined ? sighting : sum(known, sighting));
    }
  }

  /** The most frequent first. */
  sorted(): Sighting[] {
    return [...this.byName.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  }
}

/** The later of two times; null for never. */
export function latest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

function sum(a: Sighting, b: Sighting): Sighting {
  return {
    name: a.name,
    count: a.count + b.count,
    lastSeenAt: a.lastSeenAt > b.lastSeenAt ? a.lastSeenAt : b.lastSeenAt,
  };
}
