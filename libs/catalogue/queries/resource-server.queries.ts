import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import { ResourceServerRepository } from '../persistence/resource-server.repository.ts';
import { resourceServerView } from './resource-server.view.ts';
import type { ResourceServerView } from './resource-server.view.ts';

export class GetResourceServerQuery extends Query<ResourceServerView> {
  constructor(readonly resourceServerId: string) {
    super();
  }
}

@QueryHandler(GetResourceServerQuery)
export class GetResourceServerHandler implements IQueryHandler<GetResourceServerQuery> {
  constructor(
    private readonly resourceServers: ResourceServerRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ resourceServerId }: GetResourceServerQuery): Promise<ResourceServerView> {
    const { state } = await bounded(this.resourceServers.load(resourceServerId));
    return resourceServerView(state, this.clock.now());
  }
}

/** A page of resource servers. `after` is the id of the last item of the previous page. */
export class ListResourceServersQuery extends Query<ResourceServerView[]> {
  constructor(
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListResourceServersQuery)
export class ListResourceServersHandler implements IQueryHandler<ListResourceServersQuery> {
  constructor(
    private readonly resourceServers: ResourceServerRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ after, limit }: ListResourceServersQuery): Promise<ResourceServerView[]> {
    const found = await bounded(this.resourceServers.list(after, limit));
    return found.map((state) => resourceServerView(state, this.clock.now()));
  }
}
