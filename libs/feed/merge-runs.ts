import type { LogEvent } from '#chain';

/** Events of one chain in their order. `hasMore`: the chain has further events, which were not read. */
export interface Run {
  readonly events: readonly LogEvent[];
  readonly hasMore: boolean;
}

/**
 * The earliest events of all runs, each run in its order. Ends where the next event of a chain is not known, because it
 * could be earlier than all others.
 */
export function mergeRuns(runs: readonly Run[], limit: number): LogEvent[] {
  const merged: LogEvent[] = [];
  const next = runs.map(() => 0);
  while (merged.length < limit) {
    let earliest: LogEvent | undefined;
    let from = -1;
    for (const [index, { events, hasMore }] of runs.entries()) {
      const event = events[next[index] ?? 0];
      if (event === undefined && hasMore) return merged;
      // all times have the same form and length, so strings sort by time
      if (event !== undefined && (earliest === undefined || event.at < earliest.at)) [earliest, from] = [event, index];
    }
    if (earliest === undefined) return merged;
    merged.push(earliest);
    next[from] = (next[from] ?? 0) + 1;
  }
  return merged;
}
