import { Module } from '@nestjs/common';
import { AuditModule } from '#audit';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { PeopleModule } from '#identity';
import { TokensModule } from '#tokens';
import { PeopleResurrections } from './people-resurrections.ts';
import { Reconciliation } from './reconciliation.ts';
import { RestoreCheck } from './restore-check.ts';
import { Resurrections } from './resurrections.ts';
import { RevivedCredentials } from './revived-credentials.ts';
import { RevivedPeople } from './revived-people.ts';
import { ChainMarkReader } from './tombstones/chain-mark-reader.ts';
import { TombstoneCatchUp } from './tombstones/tombstone-catch-up.ts';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { TombstoneUpkeep } from './tombstones/tombstone-upkeep.ts';

/**
 * Finds and ends objects that a restored backup revived. `serve` adds `RestoreGuard`, which blocks the instance
 * meanwhile.
 */
@Module({
  imports: [AuditModule, CatalogueModule, CredentialsModule, PeopleModule, TokensModule],
  providers: [
    ChainMarkReader,
    PeopleResurrections,
    Reconciliation,
    RestoreCheck,
    Resurrections,
    RevivedCredentials,
    RevivedPeople,
    TombstoneCatchUp,
    TombstoneReview,
    TombstoneUpkeep,
  ],
  exports: [Reconciliation, RestoreCheck, TombstoneUpkeep],
})
export class RecoveryModule {}
