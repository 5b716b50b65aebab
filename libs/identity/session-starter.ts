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

/** The browser that someone signs in with. */
export interface Browser {
  /** Its canonical address. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
}

/** Starts sessions of people who have just proven who they are. */
@Injectable()
export class SessionStarter {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly sessions: SessionRepository,
  ) {}

  /**
   * @param isStillGood whether the proof holds for the user as it is when the session starts
   * @returns the value of the session's cookie, which is stored nowhere; undefined when the user is gone or the proof
   * no longer holds
   */
  async start(
    userId: string,
    method: SignInMethod,
    { ip, userAgent, requestId }: Browser,
    isStillGood: (user: UserState) => boolean,
  ): Promise<string | undefined> {
    // ending the surplus one takes a right away; what decides is read in the transaction
    const altersRights = (await bounded(this.sessions.ofUser(userId))).length >= MAX_SESSIONS;
    const context = { actor: { type: 'user', id: userId, ip }, requestId } as const;
    return this.unitOfWork.run(context, { chains: [null], altersRights }, async (transaction) => {
      const user = await this.users.find(userId, transaction.session);
      if (user === undefined || !isStillGood(user.state)) return undefined;
      const token = newSessionToken();
      const own = new UserSessions(userId);
      await this.makeRoom(own, userId, transaction);
      const started = own.start({ digest: digest(token), userId, method, ip, userAgent }, transaction.at);
      await this.sessions.insert(started, transaction.session);
      // writing the user makes a change of it, committed meanwhile, a conflict
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
