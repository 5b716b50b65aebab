import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { MongoStore } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { CheckpointKeys } from './checkpoint-keys.ts';

/**
 * Registers the signing key at the start of the service, so that a rotation is in force before the next signing. Only
 * `serve` does this, because other commands must not rotate the key.
 */
@Injectable()
export class KeyRegistration implements OnApplicationBootstrap {
  constructor(
    private readonly store: MongoStore,
    private readonly keys: CheckpointKeys,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Runs in the background. */
  onApplicationBootstrap(): void {
    void this.store
      .open()
      .then(() => this.keys.signer())
      .catch((error: unknown) => this.logger.warn({ err: error }, 'cannot register the checkpoint key yet'));
  }
}
