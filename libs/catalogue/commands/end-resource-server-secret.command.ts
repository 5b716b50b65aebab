import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';

/** Ends one of a resource server's two live secrets. It is refused on every instance when this is answered. */
export class EndResourceServerSecretCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly secretId: string,
  ) {
    super();
  }
}

@CommandHandler(EndResourceServerSecretCommand)
export class EndResourceServerSecretHandler implements ICommandHandler<EndResourceServerSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  async execute({ context, resourceServerId, expected, secretId }: EndResourceServerSecretCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const server = await this.resourceServers.load(resourceServerId, session);
      checkVersion(server.state.version, expected);
      server.endSecret(secretId, at);
      await this.resourceServers.save(server, session);
      transaction.publish(server);
    });
  }
}
