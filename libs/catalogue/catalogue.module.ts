import { Module } from '@nestjs/common';
import { CreateApiHandler } from './commands/create-api.command.ts';
import { CreateOperationHandler } from './commands/create-operation.command.ts';
import { CreateResourceServerHandler } from './commands/create-resource-server.command.ts';
import { DeleteOperationHandler } from './commands/delete-operation.command.ts';
import { DeleteResourceServerHandler } from './commands/delete-resource-server.command.ts';
import { EditApiHandler } from './commands/edit-api.command.ts';
import { EditResourceServerHandler } from './commands/edit-resource-server.command.ts';
import { EndResourceServerSecretHandler } from './commands/end-resource-server-secret.command.ts';
import { RevokeResourceServerSecretHandler } from './commands/revoke-resource-server-secret.command.ts';
import { RotateResourceServerSecretHandler } from './commands/rotate-resource-server-secret.command.ts';
import { ApiRepository } from './persistence/api.repository.ts';
import { OperationRepository } from './persistence/operation.repository.ts';
import { ResourceServerReader } from './persistence/resource-server.reader.ts';
import { ResourceServerRepository } from './persistence/resource-server.repository.ts';
import { GetApiHandler, ListApisHandler } from './queries/api.queries.ts';
import { FindUnknownApisHandler } from './queries/unknown-apis.query.ts';
import { GetOperationApisHandler, GetOperationHandler, ListOperationsHandler } from './queries/operation.queries.ts';
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
  GetOperationApisHandler,
  GetOperationHandler,
  GetResourceServerHandler,
  ListApisHandler,
  ListOperationsHandler,
  ListResourceServersHandler,
  RevokeResourceServerSecretHandler,
  RotateResourceServerSecretHandler,
];

@Module({
  providers: [...handlers, ApiRepository, OperationRepository, ResourceServerReader, ResourceServerRepository],
  exports: [ApiRepository, OperationRepository, ResourceServerReader, ResourceServerRepository],
})
export class CatalogueModule {}
