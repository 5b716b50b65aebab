import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { MongoStore } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { CheckpointKeys } from './checkpoint-keys.ts';

/**
 * Registers the signing key at the start of the service: a rotation is in force from then on, not only when there is something to
 * sign. Commands other than `serve` leave this out, since they must not rotate the key.
 */
@Injectable()
export class KeyRegistration implements OnApplicationBootstrap {
  constructor(
    private readonly store: MongoStore,
    private readonly keys: CheckpointKeys,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Nothing waits for it. */
  onApplicationBootstrap(): void {
    void this.store
      .open()
      .then(() => this.keys.signer())
      .catch((error: unknown) => this.logger.warn({ err: error }, 'checkpoint key not in use yet'));
  }
}
