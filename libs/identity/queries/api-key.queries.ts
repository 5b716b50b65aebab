import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { bounded } from '#mongo';
import { ApiKeyRepository } from '../persistence/api-key.repository.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { apiKeyView } from './api-key.view.ts';
import type { ApiKeyView } from './api-key.view.ts';

export class GetApiKeyQuery extends Query<ApiKeyView> {
  constructor(
    readonly userId: string,
    readonly keyId: string,
  ) {
    super();
  }
}

@QueryHandler(GetApiKeyQuery)
export class GetApiKeyHandler implements IQueryHandler<GetApiKeyQuery> {
  constructor(private readonly keys: ApiKeyRepository) {}

  async execute({ userId, keyId }: GetApiKeyQuery): Promise<ApiKeyView> {
    return apiKeyView((await bounded(this.keys.load(userId, keyId))).state);
  }
}

/** The keys of a service user, the oldest first. */
export class ListApiKeysQuery extends Query<ApiKeyView[]> {
  constructor(readonly userId: string) {
    super();
  }
}

@QueryHandler(ListApiKeysQuery)
export class ListApiKeysHandler implements IQueryHandler<ListApiKeysQuery> {
  constructor(
    private readonly users: UserRepository,
    private readonly keys: ApiKeyRepository,
  ) {}

  async execute({ userId }: ListApiKeysQuery): Promise<ApiKeyView[]> {
    await bounded(this.users.load(userId));
    return (await bounded(this.keys.ofUser(userId))).map(({ state }) => apiKeyView(state));
  }
}
