import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion, digest, newResourceServerSecret } from '#kernel';
import type { CallContext, ExpectedVersion, Rotation } from '#kernel';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';
import { resourceServerView } from '../queries/resource-server.view.ts';
import type { ResourceServerWithSecret } from '../queries/resource-server.view.ts';

export class RotateResourceServerSecretCommand extends Command<ResourceServerWithSecret> {
  constructor(
    readonly context: CallContext,
    readonly resourceServerId: string,
    readonly expected: ExpectedVersion,
    readonly rotation: Rotation,
  ) {
    super();
  }
}

@CommandHandler(RotateResourceServerSecretCommand)
export class RotateResourceServerSecretHandler implements ICommandHandler<RotateResourceServerSecretCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  execute(command: RotateResourceServerSecretCommand): Promise<ResourceServerWithSecret> {
    const { context, resourceServerId, expected, rotation } = command;
    const resourceServerSecret = newResourceServerSecret();
    // alters rights for any overlap: other instances accept the new secret only after the lease
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session, at } = transaction;
      const server = await this.resourceServers.load(resourceServerId, session);
      checkVersion(server.state.version, expected);
      server.rotateSecret(rotation, digest(resourceServerSecret), at);
      await this.resourceServers.save(server, session);
      transaction.publish(server);
      const view = resourceServerView(server.state, at);
      transaction.remember(view);
      return { ...view, resourceServerSecret };
    });
  }
}
