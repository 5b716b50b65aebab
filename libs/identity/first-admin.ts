import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import pRetry from 'p-retry';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { DomainError } from '#kernel';
import { MongoStore, isStoreUnavailable } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { FirstAdminCreation } from './first-admin-creation.ts';

const RETRY_MS = 1_000;

/**
 * Makes the first platform-admin from the configuration, once the store is there, when no user exists. Nothing waits
 * for it. Of two instances that start at once one makes it: both write the lock of the users, and the later one finds a
 * user.
 */
@Injectable()
export class FirstAdmin implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopped = new AbortController();
  private making: Promise<void> = Promise.resolve();
  private done = false;
  private weakness: string | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly store: MongoStore,
    private readonly creation: FirstAdminCreation,
  ) {}

  /** Whether it was made, or need not be: before that the service is not ready, for no one could sign in. */
  get settled(): boolean {
    return this.done;
  }

  /**
   * Resolves when it was made or need not be; or with the fault of the configuration: its password is too weak. That is
   * found only when there is no user yet, since the lists that say so take time and memory.
   */
  async fault(): Promise<string | undefined> {
    await this.making;
    return this.weakness;
  }

  onApplicationBootstrap(): void {
    const { firstAdmin } = this.config;
    if (firstAdmin === undefined) {
      this.done = true;
      return;
    }
    this.making = this.keepTrying(firstAdmin)
      .catch((error: unknown) => {
        if (this.stopped.signal.aborted) return;
        if (error instanceof DomainError && error.code === 'weak-password') {
          this.weakness = `LATCHKEY_ADMIN_PASSWORD is too weak. ${error.publicDetail}`;
        }
        this.logger.error({ err: error }, 'first platform-admin not created');
      })
      .finally(() => (this.done = true));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped.abort();
    // a transaction under way may end while there is still a connection to end it on
    if (this.store.ready) await this.making;
  }

  private async keepTrying(admin: { username: string; password: string }): Promise<void> {
    await this.store.open();
    const isMade = await pRetry(() => this.creation.createUnlessThereAreUsers(admin), {
      ...{ retries: Infinity, factor: 1, minTimeout: RETRY_MS, unref: true, signal: this.stopped.signal },
      shouldRetry: ({ error }) => isStoreUnavailable(error),
    });
    if (isMade) this.logger.info({ username: admin.username }, 'first platform-admin created');
  }
}
