import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { bounded } from '#mongo';
import { ApiRepository } from '../persistence/api.repository.ts';
import { apiView } from './api.view.ts';
import type { ApiView } from './api.view.ts';

export class GetApiQuery extends Query<ApiView> {
  constructor(readonly apiKey: string) {
    super();
  }
}

@QueryHandler(GetApiQuery)
export class GetApiHandler implements IQueryHandler<GetApiQuery> {
  constructor(private readonly apis: ApiRepository) {}

  async execute({ apiKey }: GetApiQuery): Promise<ApiView> {
    return apiView((await bounded(this.apis.load(apiKey))).state);
  }
}

/** A page of the catalogue. `after` is the key of the last item of the previous page. */
export class ListApisQuery extends Query<ApiView[]> {
  constructor(
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListApisQuery)
export class ListApisHandler implements IQueryHandler<ListApisQuery> {
  constructor(private readonly apis: ApiRepository) {}

  async execute({ after, limit }: ListApisQuery): Promise<ApiView[]> {
    return (await bounded(this.apis.list(after, limit))).map(apiView);
  }
}
