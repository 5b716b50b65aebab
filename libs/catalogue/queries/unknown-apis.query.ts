import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { faultsOf } from '#kernel';
import type { FieldFault } from '#kernel';
import { bounded } from '#mongo';
import { ApiRepository } from '../persistence/api.repository.ts';

/** Keys that are not in the catalogue, as faults of the member `apis` of a request that is refused anyway. */
export class FindUnknownApisQuery extends Query<FieldFault[]> {
  /** @param keys null for an entry that is not a key */
  constructor(readonly keys: readonly (string | null)[]) {
    super();
  }
}

@QueryHandler(FindUnknownApisQuery)
export class FindUnknownApisHandler implements IQueryHandler<FindUnknownApisQuery> {
  constructor(private readonly apis: ApiRepository) {}

  execute({ keys }: FindUnknownApisQuery): Promise<FieldFault[]> {
    return bounded(faultsOf(() => this.apis.assertKnown(keys, 'apis')));
  }
}
