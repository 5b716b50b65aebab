import { Injectable } from '@nestjs/common';
import pRetry from 'p-retry';
import { Stopping } from '#events';
import { bounded, isStoreUnavailable } from '#mongo';

/** About ten seconds in all. A pause must end within the time that a shutdown has. */
const PAUSES = { retries: 10, minTimeout: 250, maxTimeout: 1_000 };

/** Retries reads while the store is unavailable. For background and streaming reads only. */
@Injectable()
export class ReadRetry {
  constructor(private readonly stopping: Stopping) {}

  /** @throws DomainError `store-unavailable` after about ten seconds, or earlier if the service shuts down */
  run<T>(read: () => Promise<T>): Promise<T> {
    return pRetry(() => bounded(read()), {
      ...PAUSES,
      shouldRetry: ({ error }) => isStoreUnavailable(error) && !this.stopping.hasBegun,
    });
  }
}
