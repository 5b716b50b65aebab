import { isStoreUnavailable } from '#mongo';

/**
 * Does work for several operations in as few units as possible: all in one if no other writer holds a chain, otherwise
 * in halves, down to one operation, for which it waits.
 *
 * @param items one for each operation
 * @param unit does these items in one unit of work; with `tryOnce`, it must not wait for other writers
 * @returns the sum of the units' results
 */
export async function inHalves<T>(
  items: readonly T[],
  unit: (items: readonly T[], tryOnce: boolean) => Promise<number>,
): Promise<number> {
  const tryOnce = items.length > 1;
  try {
    return await unit(items, tryOnce);
  } catch (error) {
    if (!tryOnce || !isStoreUnavailable(error)) throw error;
    const middle = Math.ceil(items.length / 2);
    const first = await inHalves(items.slice(0, middle), unit);
    return first + (await inHalves(items.slice(middle), unit));
  }
}
