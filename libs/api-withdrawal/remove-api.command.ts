import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { ApiRepository, apiView } from '#catalogue';
import type { ApiView } from '#catalogue';
import { UnitOfWork } from '#events';
import { DomainError, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { STORE_DEADLINE_MS, bounded, withinDeadline } from '#mongo';
import { ApiDeletion } from './api-deletion.ts';
import { ApiRemovals } from './api-removals.ts';
import { ApiWithdrawal } from './api-withdrawal.ts';

/** How long before the deadline of its request a removal that goes on is answered, in milliseconds. */
const ANSWERED_BEFORE_MS = 500;

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
    private readonly apis: ApiRepository,
    private readonly deletion: ApiDeletion,
    private readonly withdrawal: ApiWithdrawal,
    private readonly removals: ApiRemovals,
  ) {}

  async execute(command: RemoveApiCommand): Promise<ApiView | undefined> {
    if (command.context.dryRun !== undefined) return this.deletion.tryOut(command);
    if (command.force) await this.start(command);
    else if (await this.deletion.deleteUnused(command)) return undefined;
    return this.wait(command.apiKey);
  }

  private start({ context, apiKey, expected }: RemoveApiCommand): Promise<void> {
    const options = { chains: [null], altersRights: true, isPart: true };
    return this.unitOfWork.run(context, options, async (transaction) => {
      const api = await this.apis.load(apiKey, transaction.session);
      checkVersion(api.state.version, expected);
      await this.withdrawal.begin(api, transaction);
    });
  }

  /** Waits for the end of the removal, as long as the request may. @returns the API where it goes on */
  private async wait(apiKey: string): Promise<ApiView | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const leftMs = withinDeadline(STORE_DEADLINE_MS) - ANSWERED_BEFORE_MS;
    const isLate = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), leftMs)));
    const isGone = await Promise.race([this.removals.finish(apiKey), isLate]);
    clearTimeout(timer);
    if (isGone) return undefined;
    const api = await bounded(this.apis.load(apiKey)).catch(undefinedIfGone);
    return api === undefined ? undefined : apiView(api.state);
  }
}

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'not-found') return undefined;
  throw error;
}
