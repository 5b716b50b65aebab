import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ApiRepository, ResourceServerRepository } from '#catalogue';
import type { ApiRemoval } from '#catalogue';
import { ChainBarrier, UnitOfWork, inHalves } from '#events';
import { Clock, DomainError } from '#kernel';
import { bounded, isStoreUnavailable, withoutDeadline } from '#mongo';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { CredentialRepository } from './persistence/credential.repository.ts';

/** Operations of one unit of work, and so of one transaction: at most 200 credentials. */
const OPERATIONS_EACH = 20;
/** Operations that are looked up at a time. */
const OPERATIONS_LISTED = 500;
const SERVERS_EACH = 50;
/** How long a part may take, in milliseconds: no client waits for one part. */
const PART_LIMIT_MS = 30_000;
/** The pause after the store could not serve, in milliseconds. */
const RETRY_MS = 2_000;

/** What a removal reads and writes. */
@Injectable()
export class ApiRemovalStores {
  constructor(
    readonly apis: ApiRepository,
    readonly resourceServers: ResourceServerRepository,
    readonly credentials: CredentialRepository,
    readonly barrier: ChainBarrier,
    readonly clock: Clock,
  ) {}

  /** Whether anything names the API. */
  async isUsed(apiKey: string, session: ClientSession): Promise<boolean> {
    return (await this.credentials.usesApi(apiKey, session)) || this.resourceServers.usesApi(apiKey, session);
  }
}

/**
 * Finishes forced removals of APIs: takes the API from everything that names it, some operations at a time, and then
 * out of the catalogue. Each part can be repeated, so any instance can continue (docs/adr/0044-removing-an-api.md).
 */
@Injectable()
export class ApiRemovals implements BeforeApplicationShutdown {
  private readonly underWay = new Map<string, Promise<boolean>>();
  private readonly stopping = Promise.withResolvers<undefined>();
  private isStopping = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly stores: ApiRemovalStores,
    @Inject(LOGGER) private readonly logger: Pick<Logger, 'debug' | 'error'>,
  ) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    this.stopping.resolve(undefined);
    await Promise.all(this.underWay.values());
  }

  /**
   * Works on the removal until it is over or this instance shuts down. Calls for one API share the work. Never fails.
   *
   * @returns whether the API is gone: then no token grants it any more, on any instance
   */
  finish(apiKey: string): Promise<boolean> {
    const known = this.underWay.get(apiKey);
    if (known !== undefined) return known;
    // whoever asked for it does not wait for all of it
    const work = withoutDeadline(() => this.untilGone(apiKey)).finally(() => this.underWay.delete(apiKey));
    this.underWay.set(apiKey, work);
    return work;
  }

  private async untilGone(apiKey: string): Promise<boolean> {
    while (!this.isStopping) {
      try {
        if (await this.work(apiKey)) return true;
      } catch (error) {
        if (!isStoreUnavailable(error)) {
          this.logger.error({ err: error, api: apiKey }, 'the removal of an API failed; it is tried again later');
          return false;
        }
        this.logger.debug({ err: error, api: apiKey }, 'the removal of an API has to wait for the store');
        await this.pause();
      }
    }
    return false;
  }

  /** @returns whether it is over; otherwise something was left to do, or this instance shuts down */
  private async work(apiKey: string): Promise<boolean> {
    const { apis, barrier } = this.stores;
    // grants that had not seen the removal are found from now on, and no later grant is accepted
    const state = await barrier.pass();
    const removal = await bounded(apis.removalOf(apiKey, state));
    if (removal === undefined) return true;
    await this.noteProgress(apiKey);
    while (await this.withdrawSome(apiKey, removal)) if (this.isStopping) return false;
    return (await this.isOutOfForce(apiKey, removal)) && this.delete(apiKey, removal);
  }

  /** @returns whether anything named it */
  private async withdrawSome(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    const { credentials } = this.stores;
    const servers = await this.withdrawFromServers(apiKey, context);
    const operationIds = await bounded(credentials.operationsWithApi(apiKey, OPERATIONS_LISTED));
    for (let from = 0; from < operationIds.length && !this.isStopping; from += OPERATIONS_EACH) {
      const part = operationIds.slice(from, from + OPERATIONS_EACH);
      await inHalves(part, (some, tryOnce) => this.withdrawFromOperations(apiKey, context, some, tryOnce));
      await this.noteProgress(apiKey);
    }
    return servers > 0 || operationIds.length > 0;
  }

  private withdrawFromServers(apiKey: string, context: ApiRemoval['context']): Promise<number> {
    return this.unitOfWork.run(context, part([null]), async (transaction) => {
      const { session, at } = transaction;
      const servers = await this.stores.resourceServers.removeApi(apiKey, session, at, SERVERS_EACH);
      transaction.publish(...servers);
      return servers.length;
    });
  }

  private withdrawFromOperations(
    apiKey: string,
    context: ApiRemoval['context'],
    operationIds: readonly string[],
    tryOnce: boolean,
  ): Promise<number> {
    const options = { ...part(operationIds), tryOnce };
    return this.unitOfWork.run(context, options, async (transaction) => {
      const { session, at } = transaction;
      const credentials = await this.stores.credentials.withApi(apiKey, operationIds, session);
      for (const credential of credentials) credential.withdrawApis([apiKey], { at, by: context.actor.id });
      await this.stores.credentials.saveAll(credentials, session);
      transaction.publish(...credentials);
      return credentials.length;
    });
  }

  /**
   * Makes sure, by a commit and the lease after it, that nothing names the API. So once it is not found, it is out of
   * force on every instance, even if another instance took it from the last credential.
   */
  private isOutOfForce(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    const options = { chains: [], altersRights: true, limitMs: PART_LIMIT_MS };
    return this.unitOfWork.run(context, options, async ({ session }) => !(await this.stores.isUsed(apiKey, session)));
  }

  /** @returns false when something names it again: an instance of an earlier version granted it meanwhile */
  private async delete(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    const { apis } = this.stores;
    try {
      return await this.unitOfWork.run(context, { chains: [null], limitMs: PART_LIMIT_MS }, async (transaction) => {
        const { session } = transaction;
        const api = await apis.load(apiKey, session);
        if (await this.stores.isUsed(apiKey, session)) return false;
        api.delete();
        await apis.delete(apiKey, session);
        transaction.publish(api);
        return true;
      });
    } catch (error) {
      // another instance was quicker
      if (error instanceof DomainError && error.code === 'not-found') return true;
      throw error;
    }
  }

  private async noteProgress(apiKey: string): Promise<void> {
    const { apis, credentials, clock } = this.stores;
    const left = await bounded(credentials.countWithApi(apiKey));
    await bounded(apis.noteProgress(apiKey, clock.now(), left));
  }

  private async pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, RETRY_MS)));
    await Promise.race([waited, this.stopping.promise]);
    clearTimeout(timer);
  }
}

/** A unit that takes rights away, and whose caller waits for the lease once for all of them. */
function part(chains: readonly (string | null)[]): Parameters<UnitOfWork['run']>[1] {
  return { chains, altersRights: true, isPart: true, limitMs: PART_LIMIT_MS };
}
