import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { Refusals } from '#events';
import { Clock, digest, isWellFormedSecret } from '#kernel';
import { bounded } from '#mongo';
import { isLive, isTouchDue } from './domain/session.ts';
import type { SessionState } from './domain/session.ts';
import type { UserState } from './domain/user.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { sessionView } from './queries/session.view.ts';
import type { SessionView } from './queries/session.view.ts';
import { UNKNOWN_USER } from './unknown-user.ts';

/** A person who is signed in by a session cookie. */
export interface SignedInUser {
  readonly user: UserState;
  readonly session: SessionView;
}

/**
 * Authenticates session cookies. Reads session and person from the store each time, so that an end, a deletion or an
 * edit is in force on every instance when it is answered.
 */
@Injectable()
export class SessionSignIn {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly users: UserRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    private readonly refusals: Refusals,
  ) {}

  /**
   * The person of the cookie, and the session. Records a refusal.
   *
   * @param token the value of the cookie
   * @param ip the caller's canonical address, if known
   * @throws DomainError `store-unavailable`
   */
  async resume(token: string, ip: string | null): Promise<SignedInUser | undefined> {
    const found = await this.find(token);
    if (found === undefined) {
      this.refusals.record({ operationId: null, subject: UNKNOWN_USER, reason: 'no-live-session', ip });
    }
    return found;
  }

  private async find(token: string): Promise<SignedInUser | undefined> {
    if (!isWellFormedSecret(token, 'session')) return undefined;
    const found = await bounded(this.sessions.findByDigest(digest(token)));
    const limits = this.config.sessions;
    if (found === undefined || !isLive(found, limits, this.clock.nowMs())) return undefined;
    const user = await bounded(this.users.findCurrent(found.userId));
    if (user === undefined || user.state.status === 'disabled') return undefined;
    return { user: user.state, session: sessionView(await this.touched(found), limits) };
  }

  private async touched(session: SessionState): Promise<SessionState> {
    const now = this.clock.now();
    if (!isTouchDue(session, this.config.sessions, now.getTime())) return session;
    await bounded(this.sessions.touch(session, now));
    return { ...session, lastSeenAt: now };
  }
}
