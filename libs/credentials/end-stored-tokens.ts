import type { ClientSession } from 'mongoose';
import type { TokenDocument, TokenRepository } from '#tokens';
import type { Credential } from './domain/credential.ts';

/** Deletes live tokens of the credential, and records in its events that they ended. */
export async function endStoredTokens(
  credential: Credential,
  ended: readonly TokenDocument[],
  reason: Parameters<Credential['endTokens']>[1],
  tokens: TokenRepository,
  session: ClientSession,
): Promise<void> {
  await tokens.delete(
    ended.map((token) => token._id),
    session,
  );
  credential.endTokens(
    ended.map((token) => token.id),
    reason,
  );
}
