import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { ApiKeyRepository } from '../persistence/api-key.repository.ts';

const ONLY_VERSION = 1;

export class DeleteApiKeyCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    readonly keyId: string,
    readonly expected: ExpectedVersion,
    readonly options: { readonly leaked?: boolean } = {},
  ) {
    super();
  }
}

@CommandHandler(DeleteApiKeyCommand)
export class DeleteApiKeyHandler implements ICommandHandler<DeleteApiKeyCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly keys: ApiKeyRepository,
  ) {}

  async execute({ context, userId, keyId, expected, options }: DeleteApiKeyCommand): Promise<void> {
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const key = await this.keys.load(userId, keyId, transaction.session);
      checkVersion(ONLY_VERSION, expected);
      key.delete(options);
      await this.keys.delete(key, transaction.session);
      transaction.publish(key);
    });
  }
}
