import { Injectable } from '@nestjs/common';
import type { Transaction } from '#events';
import { ApiKeyRepository, SessionEnding, UserRepository } from '#identity';
import type { Resurrection } from './resurrection.ts';

/** Ends again users, sessions and API keys that a restored backup revived, and disables users again. */
@Injectable()
export class RevivedPeople {
  constructor(
    private readonly users: UserRepository,
    private readonly keys: ApiKeyRepository,
    private readonly sessionEnding: SessionEnding,
  ) {}

  /**
   * @param ended what of this user ended before
   * @throws DomainError `last-platform-admin` if nobody could administer the service any more
   */
  async end(userId: string, ended: readonly Resurrection[], transaction: Transaction): Promise<void> {
    await this.users.takeTurn(transaction.session);
    const idsOf = (kind: Resurrection['kind']): readonly string[] =>
      ended.filter((one) => one.kind === kind).map(({ id }) => id);
    if (idsOf('user').length > 0) return this.remove(userId, transaction);
    for (const keyId of idsOf('api-key')) await this.deleteKey(userId, keyId, transaction);
    const isDisabled = idsOf('user-disabled').length > 0;
    if (isDisabled) await this.disable(userId, transaction);
    const sessionIds = new Set(idsOf('session'));
    await this.sessionEnding.end(transaction, userId, 'reconciled', ({ id }) => isDisabled || sessionIds.has(id));
  }

  private async remove(userId: string, transaction: Transaction): Promise<void> {
    const { session } = transaction;
    const user = await this.users.load(userId, session);
    if (user.isEnabledPlatformAdmin) await this.users.assertAnotherPlatformAdmin(userId, session);
    user.delete({ reconciled: true });
    await this.users.delete(user, session);
    await this.keys.deleteOfUser(userId, session);
    await this.sessionEnding.end(transaction, userId, 'reconciled');
    transaction.publish(user);
  }

  private async disable(userId: string, transaction: Transaction): Promise<void> {
    const { session, at } = transaction;
    const user = await this.users.load(userId, session);
    if (user.isEnabledPlatformAdmin) await this.users.assertAnotherPlatformAdmin(userId, session);
    if (user.edit({ status: 'disabled' }, at)) await this.users.save(user, session);
    transaction.publish(user);
  }

  private async deleteKey(userId: string, keyId: string, transaction: Transaction): Promise<void> {
    const key = await this.keys.load(userId, keyId, transaction.session);
    key.delete({ reconciled: true });
    await this.keys.delete(key, transaction.session);
    transaction.publish(key);
  }
}
