import { setTimeout as pause } from 'node:timers/promises';
import { bounded, isStoreUnavailable } from '#mongo';

const TRIES = 6;
const FIRST_PAUSE_MS = 250;

/**
 * Reads from the store, again when it is away or slow for a moment: whoever has read half a log should not have to begin anew for
 * that. For readings that nobody waits for any more, or has begun to get the answer of.
 *
 * @throws DomainError `store-unavailable` when it stays away for some ten seconds
 */
export async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt += 1, pauseMs *= 2) {
    try {
      return await bounded(read());
    } catch (error) {
      if (attempt === TRIES || !isStoreUnavailable(error)) throw error;
      await pause(pauseMs);
    }
  }
}
