import { randomUUID } from 'node:crypto';

// a Latchkey secret in the wrong header must not get into a log
const SAFE = /^(?!lk_(?:ak|at|cs|rs|ss)_)[A-Za-z0-9._-]{1,64}$/;

/**
 * The request id for logs and answers: the caller's if it has 1…64 characters that are safe in a log line and header,
 * otherwise a new UUID.
 * @param header the header as Node parsed it; a list (sent several times) is ignored
 */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && SAFE.test(header) ? header : randomUUID();
}
