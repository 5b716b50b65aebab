import { Module } from '@nestjs/common';
import { CatalogueModule } from '#catalogue';
import { CredentialsModule } from '#credentials';
import { HistoryModule } from '#history';
import { TokensModule } from '#tokens';
import { UsageModule } from '#usage';
import { ClientAuthenticator } from './client-authenticator.ts';
import { IssueTokenHandler } from './commands/issue-token.command.ts';
import { RevokeTokenHandler } from './commands/revoke-token.command.ts';
import { DryRuns } from './dry-run/dry-runs.ts';
import { IssueWriter } from './issue-writer.ts';
import { SimulateHandler } from './queries/simulate.query.ts';
import { RememberedDocuments, RightsAudit } from './rights-audit.ts';
import { TokenIssuer } from './token-issuer.ts';
import { TokenVerifier } from './token-verifier.ts';

@Module({
  imports: [CatalogueModule, CredentialsModule, HistoryModule, TokensModule, UsageModule],
  providers: [
    ClientAuthenticator,
    DryRuns,
    IssueTokenHandler,
    RevokeTokenHandler,
    IssueWriter,
    RememberedDocuments,
    RightsAudit,
    SimulateHandler,
    TokenIssuer,
    TokenVerifier,
  ],
  exports: [ClientAuthenticator, DryRuns, TokenVerifier],
})
export class AccessModule {}
