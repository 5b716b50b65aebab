import pRetry from 'p-retry';
import { bounded, isStoreUnavailable } from '#mongo';

const OPTIONS = {
  retries: 5,
  minTimeout: 250,
  shouldRetry: ({ error }: { error: Error }) => isStoreUnavailable(error),
};

/**
 * Retries a read while the store is unavailable. For background and streaming reads only.
 *
 * @throws DomainError `store-unavailable` after about ten seconds
 */
export function retryRead<T>(read: () => Promise<T>): Promise<T> {
  return pRetry(() => bounded(read()), OPTIONS);
}
