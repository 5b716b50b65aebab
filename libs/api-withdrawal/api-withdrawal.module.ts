import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { ApiDeletion } from './api-deletion.ts';
import { ApiRemovals } from './api-removals.ts';
import { ApiUse } from './api-use.ts';
import { ApiWithdrawal } from './api-withdrawal.ts';
import { ContinueApiRemovalsHandler } from './continue-api-removals.command.ts';
import { EditOperationApisHandler } from './edit-operation-apis.command.ts';
import { RemoveApiHandler } from './remove-api.command.ts';

@Module({
  imports: [CatalogueModule, CredentialsModule],
  providers: [
    ApiDeletion,
    ApiRemovals,
    ApiUse,
    ApiWithdrawal,
    ContinueApiRemovalsHandler,
    EditOperationApisHandler,
    RemoveApiHandler,
  ],
})
export class ApiWithdrawalModule {}
