import { Module } from '@nestjs/common';
import { CreateOperationHandler } from './commands/create-operation.handler.ts';
import { DeleteOperationHandler } from './commands/delete-operation.handler.ts';
import { EditOperationHandler } from './commands/edit-operation.handler.ts';
import { OperationRepository } from './persistence/operation.repository.ts';
import { GetOperationHandler, ListOperationsHandler } from './queries/operation.queries.ts';

@Module({
  providers: [
    CreateOperationHandler,
    DeleteOperationHandler,
    EditOperationHandler,
    GetOperationHandler,
    ListOperationsHandler,
    OperationRepository,
  ],
  exports: [OperationRepository],
})
export class CatalogueModule {}
