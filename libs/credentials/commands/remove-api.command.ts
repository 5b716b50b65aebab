import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { ApiRepository, ResourceServerRepository } from '#catalogue';
import { UnitOfWork } from '#events';
import type { Transaction } from '#events';
import { DomainError, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { bounded } from '#mongo';
import { CredentialRepository } from '../persistence/credential.repository.ts';

/** Takes an API out of the catalogue; by force also out of every credential and resource server, one event each. */
export class RemoveApiCommand extends Command<void> {
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
    private readonly resourceServers: ResourceServerRepository,
    private readonly credentials: CredentialRepository,
  ) {}

  async execute({ context, apiKey, expected, force }: RemoveApiCommand): Promise<void> {
    const chains = [null, ...(await bounded(this.credentials.operationsWithApi(apiKey)))];
    await this.unitOfWork.run(context, { chains, altersRights: true }, async (transaction) => {
      const { session } = transaction;
      const api = await this.apis.load(apiKey, session);
      checkVersion(api.state.version, expected);
      await this.withdraw(apiKey, force, transaction);
      api.delete();
      await this.apis.delete(apiKey, session);
      transaction.publish(api);
    });
  }

  private async withdraw(apiKey: string, force: boolean, transaction: Transaction): Promise<void> {
    const { session, at, context } = transaction;
    const users = await this.credentials.withApi(apiKey, session);
    const usedByServers = await this.resourceServers.usesApi(apiKey, session);
    if (users.length === 0 && !usedByServers) return;
    if (!force) {
      throw new DomainError(
        'api-in-use',
        'Take it from every credential and resource server first, or delete it with ?force=true.',
      );
    }
    for (const credential of users) {
      credential.editApis([], [apiKey], { at, by: context.actor.id });
      await this.credentials.save(credential, session);
    }
    transaction.publish(...users);
    if (usedByServers) transaction.publish(...(await this.resourceServers.removeApi(apiKey, session, at)));
  }
}
