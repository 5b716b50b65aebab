import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { bounded } from '#mongo';
import { OperationRepository } from '../persistence/operation.repository.ts';
import type { OperationFilter } from '../persistence/operation.repository.ts';
import { operationApisView, operationView } from './operation.view.ts';
import type { OperationApisView, OperationView } from './operation.view.ts';

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

/** The APIs that credentials of the operation may be granted. */
export class GetOperationApisQuery extends Query<OperationApisView> {
  constructor(readonly operationId: string) {
    super();
  }
}

@QueryHandler(GetOperationApisQuery)
export class GetOperationApisHandler implements IQueryHandler<GetOperationApisQuery> {
  constructor(private readonly operations: OperationRepository) {}

  async execute({ operationId }: GetOperationApisQuery): Promise<OperationApisView> {
    return operationApisView((await bounded(this.operations.load(operationId))).state);
  }
}

/** A page of operations. `after` is the id of the last item of the previous page. */
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
