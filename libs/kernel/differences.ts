/** The members that an edit changed, with their values before and after. */
export interface Difference<T> {
  readonly before: Partial<T>;
  readonly after: Partial<T>;
}

/**
 * The members of `after` that differ from `before`; undefined if all are equal. Members missing in `after` are kept.
 */
export function differences<T extends object>(before: T, after: Partial<T>): Difference<T> | undefined {
  const names = (Object.keys(after) as (keyof T)[]).filter(
    (name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]),
  );
  if (names.length === 0) return undefined;
  const pick = (from: Partial<T>): Partial<T> =>
    Object.fromEntries(names.map((name) => [name, from[name] ?? null])) as Partial<T>;
  return { before: pick(before), after: pick(after) };
}
