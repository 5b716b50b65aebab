import { randomUUID } from 'node:crypto';

// one of our own secrets in the wrong header must not get into a log
const SAFE = /^(?!lk_(?:ak|at|cs|rs|ss)_)[A-Za-z0-9._-]{1,64}$/;

/**
 * The id under which a request is logged and answered: the caller's, where it is 1…64 characters that can do no harm in a log
 * line or header, else a new UUID.
 * @param header the inbound request id as Node gives it; a list means that it came several times, and none is taken
 */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && SAFE.test(header) ? header : randomUUID();
}
