import { Module } from '@nestjs/common';
import { CreateApiHandler } from './commands/create-api.handler.ts';
import { CreateOperationHandler } from './commands/create-operation.handler.ts';
import { CreateResourceServerHandler } from './commands/create-resource-server.handler.ts';
import { DeleteOperationHandler } from './commands/delete-operation.handler.ts';
import { DeleteResourceServerHandler } from './commands/delete-resource-server.handler.ts';
import { EditApiHandler } from './commands/edit-api.handler.ts';
import { EditResourceServerHandler } from './commands/edit-resource-server.handler.ts';
import { EndResourceServerSecretHandler } from './commands/end-resource-server-secret.handler.ts';
import { RotateResourceServerSecretHandler } from './commands/rotate-resource-server-secret.handler.ts';
import { ApiRepository } from './persistence/api.repository.ts';
import { OperationRepository } from './persistence/operation.repository.ts';
import { ResourceServerReader } from './persistence/resource-server.reader.ts';
import { ResourceServerRepository } from './persistence/resource-server.repository.ts';
import { GetApiHandler, ListApisHandler } from './queries/api.queries.ts';
import { FindUnknownApisHandler } from './queries/unknown-apis.query.ts';
import { GetOperationHandler, ListOperationsHandler } from './queries/operation.queries.ts';
import { GetResourceServerHandler, ListResourceServersHandler } from './queries/resource-server.queries.ts';

const handlers = [
  CreateApiHandler,
  CreateOperationHandler,
  CreateResourceServerHandler,
  DeleteOperationHandler,
  DeleteResourceServerHandler,
  EditApiHandler,
  EditResourceServerHandler,
  EndResourceServerSecretHandler,
  FindUnknownApisHandler,
  GetApiHandler,
  GetOperationHandler,
  GetResourceServerHandler,
  ListApisHandler,
  ListOperationsHandler,
  ListResourceServersHandler,
  RotateResourceServerSecretHandler,
];

@Module({
  providers: [...handlers, ApiRepository, OperationRepository, ResourceServerReader, ResourceServerRepository],
  exports: [ApiRepository, OperationRepository, ResourceServerReader, ResourceServerRepository],
})
export class CatalogueModule {}
