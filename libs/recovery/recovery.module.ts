import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { TokensModule } from '#tokens';
import { EndingServices, Reconciliation } from './reconciliation.ts';
import { RestoreCheck } from './restore-check.ts';
import { Resurrections } from './resurrections.ts';

/** Finds and ends what a restore brought back. `serve` adds `RestoreGuard`, which keeps the instance out of service meanwhile. */
@Module({
  imports: [CatalogueModule, CredentialsModule, TokensModule],
  providers: [EndingServices, Reconciliation, RestoreCheck, Resurrections],
  exports: [Reconciliation, RestoreCheck],
})
export class RecoveryModule {}
