import { setTimeout as pause } from 'node:timers/promises';
import { bounded, isStoreUnavailable } from '#mongo';

const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 250;

/**
 * Retries a read while the store is unavailable. For background and streaming reads only.
 *
 * @throws DomainError `store-unavailable` after about ten seconds
 */
export async function retryRead<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt += 1, pauseMs *= 2) {
    try {
      return await bounded(read());
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isStoreUnavailable(error)) throw error;
      await pause(pauseMs);
    }
  }
}
