import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { TokensModule } from '#tokens';
import { EndingServices, Reconciliation } from './reconciliation.ts';
import { RestoreCheck } from './restore-check.ts';
import { Resurrections } from './resurrections.ts';
import { ChainMarkReader } from './tombstones/chain-mark-reader.ts';
import { TombstoneCatchUp } from './tombstones/tombstone-catch-up.ts';
import { TombstoneReview } from './tombstones/tombstone-review.ts';

/**
 * Finds and ends objects that a restored backup revived. `serve` adds `RestoreGuard`, which blocks the instance
 * meanwhile.
 */
@Module({
  imports: [AuditModule, CatalogueModule, CredentialsModule, TokensModule],
  providers: [
    ChainMarkReader,
    EndingServices,
    Reconciliation,
    RestoreCheck,
    Resurrections,
    TombstoneCatchUp,
    TombstoneReview,
  ],
  exports: [Reconciliation, RestoreCheck, TombstoneReview],
})
export class RecoveryModule {}
