import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import type { ApiChanges } from '../domain/api.ts';
import { ApiRepository } from '../persistence/api.repository.ts';
import { apiView } from '../queries/api.view.ts';
import type { ApiView } from '../queries/api.view.ts';

export class EditApiCommand extends Command<ApiView> {
  constructor(
    readonly context: CallContext,
    readonly apiKey: string,
    readonly expected: ExpectedVersion,
    readonly changes: ApiChanges,
  ) {
    super();
  }
}

@CommandHandler(EditApiCommand)
export class EditApiHandler implements ICommandHandler<EditApiCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly apis: ApiRepository,
  ) {}

  execute({ context, apiKey, expected, changes }: EditApiCommand): Promise<ApiView> {
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const api = await this.apis.load(apiKey, transaction.session);
      checkVersion(api.state.version, expected);
      if (api.edit(changes, transaction.at)) await this.apis.save(api, transaction.session);
      transaction.publish(api);
      return apiView(api.state);
    });
  }
}
