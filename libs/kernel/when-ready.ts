/**
 * Calls `next` with a value, immediately if it is there already. Hot paths mostly have theirs from memory, and `await`
 * would cost them a promise and a turn of the microtask queue.
 */
export function whenReady<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
