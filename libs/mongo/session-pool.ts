import { Injectable } from '@nestjs/common';
import type { ClientSession, mongo } from 'mongoose';
import { Instances, sessionId } from './instances.ts';
import { MongoStore } from './mongo-store.ts';

/** The number of sessions that one write registers. */
const BATCH_SIZE = 8;
/** A session that was idle for longer is replaced. MongoDB discards it after 30 minutes. */
const MAX_IDLE_MS = 600_000;

interface IdleSession {
  readonly session: ClientSession;
  readonly sinceMs: number;
}

/** A pool of registered sessions for transactions. If this instance dies, the others know which sessions to end. */
@Injectable()
export class SessionPool {
  private readonly idle: IdleSession[] = [];
  /** The client of each session: a driver does not accept sessions of another client. */
  private readonly clients = new WeakMap<ClientSession, mongo.MongoClient>();
  private filling: Promise<void> | undefined;

  constructor(
    private readonly store: MongoStore,
    private readonly instances: Instances,
  ) {}

  /** Takes a registered session; return it with `give`. @throws if the store does not confirm the registration */
  async take(): Promise<ClientSession> {
    await this.instances.keepRegistered();
    for (;;) {
      // last in, first out: the next transaction in a session ends a leftover of the previous one
      const last = this.idle.pop();
      if (last === undefined) {
        this.filling ??= this.fill().finally(() => (this.filling = undefined));
        await this.filling;
      } else if (this.isUsable(last)) {
        return last.session;
      } else {
        this.discard(last.session);
      }
    }
  }

  /** Returns a session to the pool. @param mayBeOpen whether its transaction may still be open in the store */
  give(session: ClientSession, mayBeOpen: boolean): void {
    if (mayBeOpen || session.serverSession.isDirty) {
      this.instances.endSession(sessionId(session));
      this.discard(session);
    } else {
      this.idle.push({ session, sinceMs: performance.now() });
    }
  }

  /** Call it when conflicts last. Never throws. */
  endDeadInstances(): Promise<void> {
    return this.instances.endDeadInstances();
  }

  private async fill(): Promise<void> {
    const client = this.store.connection.getClient();
    const sessions = Array.from({ length: BATCH_SIZE }, () => client.startSession());
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
