import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { ListApiCredentialsHandler } from './api-credentials.query.ts';
import { ApiGrants } from './api-grants.ts';
import { ApiHolders } from './api-holders.ts';
import { CredentialHistory } from './credential-history.ts';
import { PastRecords } from './past-records.ts';

@Module({
  imports: [CatalogueModule, CredentialsModule],
  providers: [ApiGrants, ApiHolders, CredentialHistory, ListApiCredentialsHandler, PastRecords],
  exports: [ApiGrants, PastRecords],
})
export class HistoryModule {}
