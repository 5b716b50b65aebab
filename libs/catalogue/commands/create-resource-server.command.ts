import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { digest, newResourceServerSecret } from '#kernel';
import type { CallContext } from '#kernel';
import { ResourceServer } from '../domain/resource-server.ts';
import type { NewResourceServer } from '../domain/resource-server.ts';
import { ApiRepository } from '../persistence/api.repository.ts';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';
import { resourceServerView } from '../queries/resource-server.view.ts';
import type { ResourceServerWithSecret } from '../queries/resource-server.view.ts';

export class CreateResourceServerCommand extends Command<ResourceServerWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly resourceServer: NewResourceServer,
  ) {
    super();
  }
}

@CommandHandler(CreateResourceServerCommand)
export class CreateResourceServerHandler implements ICommandHandler<CreateResourceServerCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
    private readonly apis: ApiRepository,
  ) {}

  execute({ context, resourceServer }: CreateResourceServerCommand): Promise<ResourceServerWithSecret> {
    const resourceServerSecret = newResourceServerSecret();
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const { session, at } = transaction;
      await this.apis.claim(resourceServer.apis, session);
      const server = ResourceServer.create(resourceServer, digest(resourceServerSecret), at);
      await this.resourceServers.insert(server, session);
      transaction.publish(server);
      const view = resourceServerView(server.state, at);
      transaction.remember(view);
      return { ...view, resourceServerSecret };
    });
  }
}
