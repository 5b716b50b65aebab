import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import type { Transaction } from '#events';
import { DomainError, digest, newApiKey } from '#kernel';
import type { CallContext } from '#kernel';
import { ApiKey, isExpired } from '../domain/api-key.ts';
import type { NewApiKey } from '../domain/api-key.ts';
import { ApiKeyRepository } from '../persistence/api-key.repository.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { apiKeyView } from '../queries/api-key.view.ts';
import type { ApiKeyView } from '../queries/api-key.view.ts';

/** Creates a key for a service user. Only this answer contains the key. */
export class CreateApiKeyCommand extends Command<ApiKeyView & { readonly apiKey: string }> {
  constructor(
    readonly context: CallContext,
    readonly userId: string,
    readonly key: NewApiKey,
  ) {
    super();
  }
}

@CommandHandler(CreateApiKeyCommand)
export class CreateApiKeyHandler implements ICommandHandler<CreateApiKeyCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly keys: ApiKeyRepository,
  ) {}

  execute({ context, userId, key }: CreateApiKeyCommand): Promise<ApiKeyView & { readonly apiKey: string }> {
    const apiKey = newApiKey();
    return this.unitOfWork.run(context, { chains: [null] }, async (transaction) => {
      const { kind } = (await this.users.load(userId, transaction.session)).state;
      if (kind !== 'service') {
        throw new DomainError(
          'not-a-service',
          'Only users of the kind service have API keys. People sign in with a password or single sign-on.',
        );
      }
      await this.removeExpired(userId, transaction);
      const made = ApiKey.create(userId, digest(apiKey), key, transaction.at);
      await this.keys.insert(made, transaction.session);
      transaction.publish(made);
      const view = apiKeyView(made.state);
      transaction.remember({ ...view, userId });
      return { ...view, apiKey };
    });
  }

  /** An expired key must not keep its slot. */
  private async removeExpired(userId: string, transaction: Transaction): Promise<void> {
    for (const key of await this.keys.ofUser(userId, transaction.session)) {
      if (!isExpired(key.state, transaction.at.getTime())) continue;
      key.delete();
      await this.keys.delete(key, transaction.session);
      transaction.publish(key);
    }
  }
}
