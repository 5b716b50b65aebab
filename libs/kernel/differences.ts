import type { DomainEventData } from './json.ts';

/** What an edit changed: the members that differ, with their values before and after. */
export interface Difference {
  readonly before: DomainEventData;
  readonly after: DomainEventData;
}

/** The members of `after` that differ from those of `before`; undefined when none does. A member not in `after` stays. */
export function differences(before: DomainEventData, after: DomainEventData): Difference | undefined {
  const names = Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]));
  if (names.length === 0) return undefined;
  const pick = (from: DomainEventData): DomainEventData =>
    Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}
