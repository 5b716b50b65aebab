import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { CallContext } from '#kernel';
import { Api } from '../domain/api.ts';
import { ApiRepository } from '../persistence/api.repository.ts';
import { apiView } from '../queries/api.view.ts';
import type { ApiView } from '../queries/api.view.ts';

export class CreateApiCommand extends Command<ApiView> {
  constructor(
    readonly context: CallContext,
    readonly key: string,
    readonly name: string,
    readonly description: string,
  ) {
    super();
  }
}

@CommandHandler(CreateApiCommand)
export class CreateApiHandler implements ICommandHandler<CreateApiCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly apis: ApiRepository,
  ) {}

  execute({ context, key, name, description }: CreateApiCommand): Promise<ApiView> {
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const api = Api.create(key, name, description, transaction.at);
      await this.apis.insert(api, transaction.session);
      transaction.publish(api);
      const view = apiView(api.state);
      transaction.remember(view);
      return view;
    });
  }
}
