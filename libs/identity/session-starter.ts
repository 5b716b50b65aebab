import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '#events';
import type { Transaction } from '#events';
import { digest, newSessionToken } from '#kernel';
import { bounded } from '#mongo';
import { MAX_SESSIONS, UserSessions } from './domain/session.ts';
import type { SignInMethod } from './domain/session.ts';
import type { UserState } from './domain/user.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';

/** The browser of a person who signs in. */
export interface Browser {
  /** Its canonical address. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

/** Starts sessions of people who have just authenticated. */
@Injectable()
export class SessionStarter {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly sessions: SessionRepository,
  ) {}

  /**
   * @param isStillValid whether the authentication holds for the user as stored when the session starts
   * @returns the value of the session's cookie, which is not stored; undefined if the user was deleted or the
   * authentication no longer holds
   */
  async start(
    userId: string,
    method: SignInMethod,
    { ip, userAgent, requestId }: Browser,
    isStillValid: (user: UserState) => boolean,
  ): Promise<string | undefined> {
    // ending a surplus session takes rights away; the transaction reads again which one
    const altersRights = (await bounded(this.sessions.ofUser(userId))).length >= MAX_SESSIONS;
    const context = { actor: { type: 'user', id: userId, ip }, requestId } as const;
    return this.unitOfWork.run(context, { chains: [null], altersRights }, async (transaction) => {
      const user = await this.users.find(userId, transaction.session);
      if (user === undefined || !isStillValid(user.state)) return undefined;
      const token = newSessionToken();
      const own = new UserSessions(userId);
      await this.makeRoom(own, userId, transaction);
      const started = own.start({ digest: digest(token), userId, method, ip, userAgent }, transaction.at);
      await this.sessions.insert(started, transaction.session);
      // writing the user makes a simultaneous change of it a conflict
      await this.users.noteSignIn(userId, transaction.at, transaction.session);
      transaction.publish(own);
      return token;
    });
  }

  private async makeRoom(own: UserSessions, userId: string, { session }: Transaction): Promise<void> {
    const surplus = (await this.sessions.ofUser(userId, session)).slice(MAX_SESSIONS - 1);
    await this.sessions.delete(surplus, session);
    own.end(
      surplus.map(({ id }) => id),
      'too-many',
    );
  }
}
