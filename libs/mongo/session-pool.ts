import { Injectable } from '@nestjs/common';
import type { ClientSession, mongo } from 'mongoose';
import { Instances, sessionId } from './instances.ts';
import { MongoStore } from './mongo-store.ts';

/** Sessions that are registered together: one write for all of them. */
const MADE_AT_ONCE = 8;
/** MongoDB forgets a session after 30 minutes; one that was idle for this long is replaced, in milliseconds. */
const MAX_IDLE_MS = 600_000;

interface IdleSession {
  readonly session: ClientSession;
  readonly sinceMs: number;
}

/** Keeps registered sessions for transactions: when this instance dies, the others know what to end. */
@Injectable()
export class SessionPool {
  private readonly idle: IdleSession[] = [];
  /** Whose sessions they are: a driver takes no other client's. */
  private readonly clients = new WeakMap<ClientSession, mongo.MongoClient>();
  private making: Promise<void> | undefined;

  constructor(
    private readonly store: MongoStore,
    private readonly instances: Instances,
  ) {}

  /** A session of the present connection, registered; give it back by `give`. @throws when the store does not register it */
  async take(): Promise<ClientSession> {
    await this.instances.use();
    for (;;) {
      // the one last used: the next transaction in a session ends what may be left of the one before
      const last = this.idle.pop();
      if (last === undefined) {
        this.making ??= this.make().finally(() => (this.making = undefined));
        await this.making;
      } else if (this.isUsable(last)) {
        return last.session;
      } else {
        this.discard(last.session);
      }
    }
  }

  /** Takes a session back. @param mayBeOpen whether the store may still have its transaction open */
  give(session: ClientSession, mayBeOpen: boolean): void {
    if (mayBeOpen || session.serverSession.isDirty) {
      this.instances.clean(sessionId(session));
      this.discard(session);
    } else {
      this.idle.push({ session, sinceMs: performance.now() });
    }
  }

  /** Called by those that meet conflicts for long. Never fails. */
  endThoseOfSilentInstances(): Promise<void> {
    return this.instances.endSilent();
  }

  private async make(): Promise<void> {
    const client = this.store.connection.getClient();
    const sessions = Array.from({ length: MADE_AT_ONCE }, () => client.startSession());
    await this.instances.register(sessions.map(sessionId));
    for (const session of sessions) {
      this.clients.set(session, client);
      this.idle.push({ session, sinceMs: performance.now() });
    }
  }

  private isUsable({ session, sinceMs }: IdleSession): boolean {
    const isCurrent = this.clients.get(session) === this.store.connection.getClient();
    return isCurrent && !session.hasEnded && performance.now() - sinceMs < MAX_IDLE_MS;
  }

  private discard(session: ClientSession): void {
    if (!session.hasEnded) this.instances.forget(sessionId(session));
    session.endSession().catch(() => undefined);
  }
}
