import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { ApiRepository } from '#catalogue';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { TokenRepository } from '#tokens';
import { CredentialSearch } from '../persistence/credential-search.ts';
import type { CredentialCriteria } from '../persistence/credential-search.ts';
import { credentialView } from './credential.view.ts';
import type { CredentialView } from './credential.view.ts';

/** A page of credentials of several operations. `after` is the id of the last item of the previous page. */
export class SearchCredentialsQuery extends Query<CredentialView[]> {
  constructor(
    readonly criteria: CredentialCriteria,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(SearchCredentialsQuery)
export class SearchCredentialsHandler implements IQueryHandler<SearchCredentialsQuery> {
  constructor(
    private readonly search: CredentialSearch,
    private readonly apis: ApiRepository,
    private readonly tokens: TokenRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ criteria, after, limit }: SearchCredentialsQuery): Promise<CredentialView[]> {
    const now = this.clock.now();
    if (criteria.api !== undefined) await bounded(this.apis.assertIsKnown(criteria.api, '/query/api'));
    const states = await bounded(this.search.page(criteria, after, limit));
    const ids = states.map(({ id }) => id);
    const live = await bounded(this.tokens.countLive(ids, now));
    return states.map((state) => credentialView(state, live.get(state.id) ?? 0, now));
  }
}
