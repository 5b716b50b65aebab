import { Injectable } from '@nestjs/common';
import type { Transaction } from '#events';
import { UserSessions } from './domain/session.ts';
import type { SessionEnd, SessionState } from './domain/session.ts';
import { SessionRepository } from './persistence/session.repository.ts';

/** Ends sessions in the transaction that is the reason for their end. */
@Injectable()
export class SessionEnding {
  constructor(private readonly sessions: SessionRepository) {}

  /** @returns the number of ended sessions; emits no event if it is 0 */
  async end(
    transaction: Transaction,
    userId: string,
    reason: SessionEnd,
    isMeant: (session: SessionState) => boolean = () => true,
  ): Promise<number> {
    const meant = (await this.sessions.ofUser(userId, transaction.session)).filter(isMeant);
    await this.sessions.delete(meant, transaction.session);
    const own = new UserSessions(userId);
    own.end(
      meant.map(({ id }) => id),
      reason,
    );
    transaction.publish(own);
    return meant.length;
  }
}
