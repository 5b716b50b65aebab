export { mayBeLiveElsewhere } from './expiry-margin.ts';
export { PruneTokensCommand } from './commands/prune-tokens.command.ts';
export { PurgeTokensCommand } from './commands/purge-tokens.command.ts';
export { TOKEN_LIMIT, TokenRepository } from './persistence/token.repository.ts';
export { TokensModule } from './tokens.module.ts';
export { tokenView } from './queries/token.view.ts';
export type { TokenDocument, TokenSlot } from './persistence/token.repository.ts';
export type { TokenView } from './queries/token.view.ts';
