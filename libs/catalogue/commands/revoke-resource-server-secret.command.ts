import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';

/** Ends a leaked secret of a resource server, even the last one. */
export class RevokeResourceServerSecretCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly secretId: string,
  ) {
    super();
  }
}

@CommandHandler(RevokeResourceServerSecretCommand)
export class RevokeResourceServerSecretHandler implements ICommandHandler<RevokeResourceServerSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  async execute({ context, resourceServerId, secretId }: RevokeResourceServerSecretCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const server = await this.resourceServers.load(resourceServerId, transaction.session);
      server.revokeSecret(secretId, transaction.at);
      await this.resourceServers.save(server, transaction.session);
      transaction.publish(server);
    });
  }
}
