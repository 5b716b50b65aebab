import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Fence, LeasedReader, PLATFORM_SCOPE } from '#fence';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ResourceServerRepository } from './resource-server.repository.ts';
import type { ResourceServerFacts } from './resource-server.repository.ts';

/** The resolution of the last use of a secret, in milliseconds: enough to tell an idle secret from a used one. */
const USE_NOTED_EVERY_MS = 60_000;

/** Resource servers by id, for authentication, cached under the fence. */
@Injectable()
export class ResourceServerReader extends LeasedReader<ResourceServerFacts> {
  private readonly noted = new LRUCache<string, true>({ max: 20_000, ttl: USE_NOTED_EVERY_MS });

  constructor(
    fence: Fence,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly resourceServers: ResourceServerRepository,
    private readonly clock: Clock,
  ) {
    super(fence, {
      load: (ids, state) => resourceServers.facts(ids, state),
      scopeOf: () => PLATFORM_SCOPE,
      dependsOn: 'rights',
    });
  }

  /** Stores in the background, at most once a minute, that the secret was used. */
  noteUse(id: string, secretId: string): void {
    if (this.noted.has(secretId)) return;
    this.noted.set(secretId, true);
    const at = this.clock.now();
    const since = new Date(at.getTime() - USE_NOTED_EVERY_MS);
    bounded(this.resourceServers.noteUse(id, secretId, at, since)).catch((error: unknown) => {
      this.logger.debug({ err: error }, 'last use of a secret not noted');
    });
  }
}
