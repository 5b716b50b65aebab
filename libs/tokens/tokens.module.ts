import { Module } from '@nestjs/common';
import { PruneTokensHandler } from './commands/prune-tokens.command.ts';
import { PurgeTokensHandler } from './commands/purge-tokens.command.ts';
import { TokenRepository } from './persistence/token.repository.ts';

@Module({ providers: [PruneTokensHandler, PurgeTokensHandler, TokenRepository], exports: [TokenRepository] })
export class TokensModule {}
