import { Injectable } from '@nestjs/common';
import { OperationRepository } from '#catalogue';
import { CredentialRepository, endStoredTokens } from '#credentials';
import type { Transaction } from '#events';
import { TokenRepository } from '#tokens';
import { endsOf } from './resurrection.ts';
import type { Resurrection } from './resurrection.ts';

/** Ends again credentials, and secrets and tokens of credentials, that a restored backup revived. */
@Injectable()
export class RevivedCredentials {
  constructor(
    private readonly operations: OperationRepository,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  /** @param ended what of this credential ended before @throws DomainError `not-found` */
  async end(operationId: string, id: string, ended: readonly Resurrection[], transaction: Transaction): Promise<void> {
    const { session, at, context } = transaction;
    const credential = await this.credentials.load(operationId, id, session);
    if (ended.some(({ kind }) => kind === 'credential')) {
      credential.delete({ reconciled: true });
      await this.credentials.delete(credential, session);
      await this.operations.countCredential(operationId, -1, session);
    } else {
      const secrets = ended.filter(({ kind }) => kind === 'secret');
      credential.endSecretsAgain(endsOf(secrets), { at, by: context.actor.id });
      if (secrets.length > 0) await this.credentials.save(credential, session);
      const ids = new Set(ended.filter(({ kind }) => kind === 'token').map((token) => token.id));
      const live = (await this.tokens.live(id, at, session)).filter((token) => ids.has(token.id));
      await endStoredTokens(credential, live, 'reconciled', this.tokens, session);
    }
    transaction.publish(credential);
  }
}
