import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { ResourceServerChanges } from '../domain/resource-server.ts';
import { ApiRepository } from '../persistence/api.repository.ts';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';
import { resourceServerView } from '../queries/resource-server.view.ts';
import type { ResourceServerView } from '../queries/resource-server.view.ts';

export class EditResourceServerCommand extends Command<ResourceServerView> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly changes: ResourceServerChanges,
  ) {
    super();
  }
}

@CommandHandler(EditResourceServerCommand)
export class EditResourceServerHandler implements ICommandHandler<EditResourceServerCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
    private readonly apis: ApiRepository,
  ) {}

  execute({ context, resourceServerId, expected, changes }: EditResourceServerCommand): Promise<ResourceServerView> {
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const server = await this.resourceServers.load(resourceServerId, session);
      checkVersion(server.state.version, expected);
      await this.apis.claim(changes.apis ?? [], session);
      if (server.edit(changes, at)) await this.resourceServers.save(server, session);
      transaction.publish(server);
      return resourceServerView(server.state, at);
    });
  }
}
