import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import pRetry from 'p-retry';
import { ApiRepository } from '#catalogue';
import type { ApiRemoval } from '#catalogue';
import { ChainBarrier } from '#events';
import { bounded, isStoreUnavailable, withoutDeadline } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ApiDeletion } from './api-deletion.ts';
import { ApiWithdrawal } from './api-withdrawal.ts';

/** Operations per unit of work, so at most 200 credentials per transaction. */
const OPERATIONS_EACH = 20;
/** Operations per query. */
const OPERATIONS_LISTED = 500;
/** The pause before a retry when the store is unavailable, in milliseconds. */
const RETRY_MS = 2_000;

/**
 * Finishes forced removals of APIs: takes the API from everything that names it, a few operations at a time, then
 * deletes it. Each part can be repeated, so any instance can continue (docs/adr/0044-removing-an-api.md).
 */
@Injectable()
export class ApiRemovals implements BeforeApplicationShutdown {
  private readonly underWay = new Map<string, Promise<boolean>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly apis: ApiRepository,
    private readonly barrier: ChainBarrier,
    private readonly withdrawal: ApiWithdrawal,
    private readonly deletion: ApiDeletion,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'debug' | 'error'>,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.underWay.values());
  }

  /**
   * Works on the removal until it is complete or this instance shuts down. Calls for one API share the work. Never
   * fails.
   *
   * @returns whether the API is deleted; then no instance accepts it any more
   */
  finish(apiKey: string): Promise<boolean> {
    const known = this.underWay.get(apiKey);
    if (known !== undefined) return known;
    // the deadline of the caller's request does not apply to the whole removal
    const work = withoutDeadline(() => this.untilGone(apiKey)).finally(() => this.underWay.delete(apiKey));
    this.underWay.set(apiKey, work);
    return work;
  }

  private async untilGone(apiKey: string): Promise<boolean> {
    try {
      return await pRetry(() => this.work(apiKey), {
        ...{ retries: Infinity, factor: 1, minTimeout: RETRY_MS, signal: this.stopping.signal },
        shouldRetry: ({ error }) => isStoreUnavailable(error),
        onFailedAttempt: ({ error }) =>
          this.logger.debug({ err: error, api: apiKey }, 'the removal of an API waits for the store'),
      });
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      this.logger.error({ err: error, api: apiKey }, 'the removal of an API failed; it will be retried later');
      return false;
    }
  }

  /** @returns whether it is complete; otherwise this instance shuts down */
  private async work(apiKey: string): Promise<boolean> {
    while (!this.stopping.signal.aborted) if (await this.workOnce(apiKey)) return true;
    return false;
  }

  /** @returns whether it is complete; otherwise something is left to do, or this instance shuts down */
  private async workOnce(apiKey: string): Promise<boolean> {
    // from now on, every grant that had not seen the removal is visible, and no new grant is accepted
    const state = await this.barrier.pass();
    const removal = await bounded(this.apis.removalOf(apiKey, state));
    if (removal === undefined) return true;
    await this.withdrawal.noteProgress(apiKey);
    while (await this.withdrawSome(apiKey, removal)) if (this.stopping.signal.aborted) return false;
    return (await this.deletion.isOutOfForce(apiKey, removal)) && this.deletion.deleteWithdrawn(apiKey, removal);
  }

  /** @returns whether anything named it */
  private async withdrawSome(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    const servers = await this.withdrawal.fromServers(apiKey, context);
    const operationIds = await this.withdrawal.operationsWith(apiKey, OPERATIONS_LISTED);
    for (let from = 0; from < operationIds.length && !this.stopping.signal.aborted; from += OPERATIONS_EACH) {
      const part = operationIds.slice(from, from + OPERATIONS_EACH);
      await this.withdrawal.fromOperations(apiKey, context, part);
      await this.withdrawal.noteProgress(apiKey);
    }
    return servers > 0 || operationIds.length > 0;
  }
}
