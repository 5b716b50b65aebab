import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { IdentityModule } from '#identity';
import { TokensModule } from '#tokens';
import { ReportLeakHandler } from './commands/report-leak.command.ts';
import { LeakFinder } from './leak-finder.ts';
import { MachineLeaks } from './machine-leaks.ts';
import { PeopleLeaks } from './people-leaks.ts';

@Module({
  imports: [CatalogueModule, CredentialsModule, IdentityModule, TokensModule],
  providers: [LeakFinder, MachineLeaks, PeopleLeaks, ReportLeakHandler],
})
export class LeaksModule {}
