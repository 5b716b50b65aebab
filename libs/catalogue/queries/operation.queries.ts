import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { bounded } from '#mongo';
import { OperationRepository } from '../persistence/operation.repository.ts';
import type { OperationFilter } from '../persistence/operation.repository.ts';
import { operationView } from './operation.view.ts';
import type { OperationView } from './operation.view.ts';

export class GetOperationQuery extends Query<OperationView> {
  constructor(readonly operationId: string) {
    super();
  }
}

@QueryHandler(GetOperationQuery)
export class GetOperationHandler implements IQueryHandler<GetOperationQuery> {
  constructor(private readonly operations: OperationRepository) {}

  async execute({ operationId }: GetOperationQuery): Promise<OperationView> {
    return operationView((await bounded(this.operations.load(operationId))).state);
  }
}

/** A page of operations. `after` is the id of the last one of the page before. */
export class ListOperationsQuery extends Query<OperationView[]> {
  constructor(
    readonly filter: OperationFilter,
    readonly after: string | undefined,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(ListOperationsQuery)
export class ListOperationsHandler implements IQueryHandler<ListOperationsQuery> {
  constructor(private readonly operations: OperationRepository) {}

  async execute({ filter, after, limit }: ListOperationsQuery): Promise<OperationView[]> {
    return (await bounded(this.operations.list(filter, after, limit))).map(operationView);
  }
}
