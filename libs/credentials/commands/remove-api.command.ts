import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import type { ClientSession } from 'mongoose';
import { apiView } from '#catalogue';
import type { Api, ApiView } from '#catalogue';
import { UnitOfWork } from '#events';
import { DomainError, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { STORE_DEADLINE_MS, bounded, storeUnavailable, withinDeadline } from '#mongo';
import { ApiRemovalStores, ApiRemovals } from '../api-removals.ts';

/** How long before the deadline of its request a removal that goes on is answered, in milliseconds. */
const ANSWERED_BEFORE_MS = 500;
/** How often a deletion without force is tried while the API is granted and given up again. */
const TRIES = 3;

/**
 * Takes an API out of the catalogue; by force also out of every credential and resource server, one event each.
 *
 * Returns undefined when it is gone, in force on every instance; the API when the removal outlasts the request.
 */
export class RemoveApiCommand extends Command<ApiView | undefined> {
  constructor(
    readonly context: CallContext,
    readonly apiKey: string,
    readonly expected: ExpectedVersion,
    readonly force: boolean,
  ) {
    super();
  }
}

@CommandHandler(RemoveApiCommand)
export class RemoveApiHandler implements ICommandHandler<RemoveApiCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly stores: ApiRemovalStores,
    private readonly removals: ApiRemovals,
  ) {}

  async execute(command: RemoveApiCommand): Promise<ApiView | undefined> {
    if (command.force) await this.start(command);
    else if (await this.deleteUnused(command)) return undefined;
    return this.wait(command.apiKey);
  }

  /** Marks the API, so that nothing new is granted it. Does nothing when its removal is under way. */
  private start({ context, apiKey, expected }: RemoveApiCommand): Promise<void> {
    const options = { chains: [null], altersRights: true, isPart: true };
    return this.unitOfWork.run(context, options, async (transaction) => {
      const { session, at } = transaction;
      const api = await this.load(apiKey, expected, session);
      if (api.state.removal !== null) return;
      api.startRemoval(context, await this.stores.credentials.countWithApi(apiKey, session), at);
      await this.stores.apis.saveRemoval(api, session);
      transaction.publish(api);
    });
  }

  /** @returns false when a removal by force is under way. @throws DomainError `api-in-use` */
  private async deleteUnused(command: RemoveApiCommand): Promise<boolean> {
    for (let left = TRIES; left > 0; left -= 1) {
      const mark = await this.reserve(command);
      if (mark === undefined) return false;
      await this.stores.barrier.pass();
      if (await this.deleteReserved(command, mark)) return true;
    }
    throw storeUnavailable(new Error('the API was granted and given up again meanwhile'));
  }

  private reserve({ context, apiKey, expected }: RemoveApiCommand): Promise<string | undefined> {
    const options = { chains: [], altersRights: true, isPart: true };
    return this.unitOfWork.run(context, options, async ({ session }) => {
      const api = await this.load(apiKey, expected, session);
      if (api.state.removal !== null) return undefined;
      await this.assertUnused(apiKey, session);
      return this.stores.apis.reserve(apiKey, session);
    });
  }

  private deleteReserved({ context, apiKey, expected }: RemoveApiCommand, mark: string): Promise<boolean> {
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session } = transaction;
      const api = await this.load(apiKey, expected, session);
      await this.assertUnused(apiKey, session);
      if (!(await this.stores.apis.isReserved(apiKey, mark, session))) return false;
      api.delete();
      await this.stores.apis.delete(apiKey, session);
      transaction.publish(api);
      return true;
    });
  }

  private async load(apiKey: string, expected: ExpectedVersion, session: ClientSession): Promise<Api> {
    const api = await this.stores.apis.load(apiKey, session);
    checkVersion(api.state.version, expected);
    return api;
  }

  private async assertUnused(apiKey: string, session: ClientSession): Promise<void> {
    if (!(await this.stores.isUsed(apiKey, session))) return;
    throw new DomainError(
      'api-in-use',
      'Take it from every credential and resource server first, or delete it with ?force=true.',
    );
  }

  /** Waits for the end of the removal, as long as the request may. @returns the API where it goes on */
  private async wait(apiKey: string): Promise<ApiView | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const leftMs = withinDeadline(STORE_DEADLINE_MS) - ANSWERED_BEFORE_MS;
    const isLate = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), leftMs)));
    const isGone = await Promise.race([this.removals.finish(apiKey), isLate]);
    clearTimeout(timer);
    if (isGone) return undefined;
    const api = await bounded(this.stores.apis.load(apiKey)).catch(undefinedIfGone);
    return api === undefined ? undefined : apiView(api.state);
  }
}

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'not-found') return undefined;
  throw error;
}
