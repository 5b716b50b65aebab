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
 * Creates the first platform-admin from the configuration if no user exists, once the store can be reached. The start
 * does not wait for it. If two instances start together, one creates it: both write the lock of the users, and the
 * second one finds a user.
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

  /** Whether it exists or is not needed. Before that nobody could sign in, so the service is not ready. */
  get settled(): boolean {
    return this.done;
  }

  /**
   * Resolves when it exists or is not needed, with the fault of the configuration if its password is too weak. The
   * password is checked only if there is no user yet, because the word lists take time and memory.
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
    // a running transaction should end while there is still a connection
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
