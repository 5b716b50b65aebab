export { CREDENTIAL_LIMIT } from './domain/operation.ts';
export { CatalogueModule } from './catalogue.module.ts';
export { CreateOperationCommand } from './commands/create-operation.command.ts';
export { DeleteOperationCommand } from './commands/delete-operation.command.ts';
export { EditOperationCommand } from './commands/edit-operation.command.ts';
export { GetOperationQuery, ListOperationsQuery } from './queries/operation.queries.ts';
export { OperationRepository } from './persistence/operation.repository.ts';
export type { OperationView } from './queries/operation.view.ts';
