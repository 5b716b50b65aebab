/**
 * What a limit comes to on a machine that may be slow, and busier later than when it was measured.
 *
 * @param limitMs the limit on a machine that takes no time
 * @param wellMs how long the same takes on this machine while nothing is wrong
 */
export function limitHere(limitMs: number, wellMs: number): number {
  return limitMs + 3 * wellMs;
}
