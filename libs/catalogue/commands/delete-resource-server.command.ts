import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';

export class DeleteResourceServerCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
  ) {
    super();
  }
}

@CommandHandler(DeleteResourceServerCommand)
export class DeleteResourceServerHandler implements ICommandHandler<DeleteResourceServerCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  async execute({ context, resourceServerId, expected }: DeleteResourceServerCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const server = await this.resourceServers.load(resourceServerId, transaction.session);
      checkVersion(server.state.version, expected);
      server.delete();
      await this.resourceServers.delete(server, transaction.session);
      transaction.publish(server);
    });
  }
}
