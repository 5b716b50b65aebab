import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { ApiRepository, OperationRepository } from '#catalogue';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { TokenRepository, tokenView } from '#tokens';
import type { TokenView } from '#tokens';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import type { CredentialFilter } from '../persistence/credential.repository.ts';
import { credentialView } from './credential.view.ts';
import type { CredentialView } from './credential.view.ts';

export class GetCredentialQuery extends Query<CredentialView> {
  constructor(
    readonly operationId: string,
    readonly credentialId: string,
  ) {
    super();
  }
}

@QueryHandler(GetCredentialQuery)
export class GetCredentialHandler implements IQueryHandler<GetCredentialQuery> {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ operationId, credentialId }: GetCredentialQuery): Promise<CredentialView> {
    const now = this.clock.now();
    const { state } = await bounded(this.credentials.load(operationId, credentialId));
    const live = await bounded(this.tokens.countLive([credentialId], now));
    return credentialView(state, live.get(credentialId) ?? 0, now);
  }
}

/** A page of an operation's credentials. `after` is the id of the last item of the previous page. */
export class ListCredentialsQuery extends Query<CredentialView[]> {
  constructor(
    readonly operationId: string,
    readonly filter: CredentialFilter,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListCredentialsQuery)
export class ListCredentialsHandler implements IQueryHandler<ListCredentialsQuery> {
  constructor(
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ operationId, filter, after, limit }: ListCredentialsQuery): Promise<CredentialView[]> {
    const now = this.clock.now();
    await bounded(this.operations.load(operationId)); // an unknown operation is an error, not an empty list
    if (filter.api !== undefined) await bounded(this.apis.assertIsKnown(filter.api, '/query/api'));
    const states = await bounded(this.credentials.list(operationId, filter, after, limit));
    const live = await bounded(
      this.tokens.countLive(
        states.map(({ id }) => id),
        now,
      ),
    );
    return states.map((state) => credentialView(state, live.get(state.id) ?? 0, now));
  }
}

/** One row of the API List: an API of the catalogue, and whether the credential may call it. */
export interface ApiListItem {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly added: boolean;
}

export interface ApiListView {
  readonly items: readonly ApiListItem[];
  readonly version: number;
}

/** The API List of a credential: the APIs that it may call, marked as added, and those that may be added. */
export class GetApiListQuery extends Query<ApiListView> {
  constructor(
    readonly operationId: string,
    readonly credentialId: string,
  ) {
    super();
  }
}

@QueryHandler(GetApiListQuery)
export class GetApiListHandler implements IQueryHandler<GetApiListQuery> {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
  ) {}

  async execute({ operationId, credentialId }: GetApiListQuery): Promise<ApiListView> {
    const { state } = await bounded(this.credentials.load(operationId, credentialId));
    const added = new Set(state.apis);
    const { entitledApis } = (await bounded(this.operations.load(operationId))).state;
    const entitled = entitledApis === null ? undefined : new Set(entitledApis);
    const catalogue = await bounded(this.apis.all());
    const mayBeAdded = ({ key, removal }: (typeof catalogue)[number]): boolean =>
      removal === null && (entitled === undefined || entitled.has(key));
    const items = catalogue
      .filter((api) => added.has(api.key) || mayBeAdded(api))
      .map(({ key, name, description }) => ({ key, name, description, added: added.has(key) }));
    return { items, version: state.version };
  }
}

/** The live tokens of a credential, oldest first: at most ten. */
export class ListTokensQuery extends Query<TokenView[]> {
  constructor(
    readonly operationId: string,
    readonly credentialId: string,
  ) {
    super();
  }
}

@QueryHandler(ListTokensQuery)
export class ListTokensHandler implements IQueryHandler<ListTokensQuery> {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ operationId, credentialId }: ListTokensQuery): Promise<TokenView[]> {
    await bounded(this.credentials.load(operationId, credentialId));
    return (await bounded(this.tokens.live(credentialId, this.clock.now()))).map(tokenView);
  }
}
