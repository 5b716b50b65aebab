import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { HistoryModule } from '#history';
import { UsageModule } from '#usage';
import { CredentialItems } from './credential-items.ts';
import { ListAttentionHandler } from './list-attention.query.ts';
import { PlatformItems } from './platform-items.ts';

@Module({
  imports: [CatalogueModule, CredentialsModule, UsageModule, HistoryModule],
  providers: [CredentialItems, ListAttentionHandler, PlatformItems],
})
export class AttentionModule {}
