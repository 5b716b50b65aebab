import { SessionStarted, SessionsEnded } from '#event-types';
import type { EventData } from '#event-types';
import { Aggregate, newId } from '#kernel';

/** How a person signed in to get a session. */
export type SignInMethod = 'password' | 'oidc';

/** Why sessions ended before their time. */
export type SessionEnd = EventData<typeof SessionsEnded.description>['reason'];

/** A signed-in browser. Of its cookie only the digest is known. */
export interface SessionState {
  readonly id: string;
  readonly digest: string;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly createdAt: Date;
  /** Exact to the step of `SessionLimits`. */
  readonly lastSeenAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** How long sessions last, in milliseconds. */
export interface SessionLimits {
  /** Without a request. */
  readonly idleMs: number;
  /** In all. */
  readonly maxMs: number;
}

/** A person may be signed in this often; one more sign-in ends the session that was used least recently. */
export const MAX_SESSIONS = 50;
const MAX_STEP_MS = 60_000;
const STEPS_PER_IDLE = 30;

/** When the session ends if nobody uses it, and when it ends at the latest. */
export function endsOf(
  { createdAt, lastSeenAt }: SessionState,
  { idleMs, maxMs }: SessionLimits,
): { readonly idleExpiresAt: Date; readonly expiresAt: Date } {
  const latestMs = createdAt.getTime() + maxMs;
  return {
    idleExpiresAt: new Date(Math.min(lastSeenAt.getTime() + idleMs, latestMs)),
    expiresAt: new Date(latestMs),
  };
}

export function isLive(session: SessionState, limits: SessionLimits, nowMs: number): boolean {
  return nowMs < endsOf(session, limits).idleExpiresAt.getTime();
}

/**
 * Whether it is time to write down that the session was used: not at each request, and often enough for the idle limit.
 */
export function isTouchDue({ lastSeenAt }: SessionState, { idleMs }: SessionLimits, nowMs: number): boolean {
  return nowMs - lastSeenAt.getTime() >= Math.min(MAX_STEP_MS, idleMs / STEPS_PER_IDLE);
}

/** What a new session is made of. */
export interface NewSession {
  readonly digest: string;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** The sessions of one person: their events are the person's. */
export class UserSessions extends Aggregate {
  constructor(private readonly userId: string) {
    super();
  }

  start(session: NewSession, at: Date): SessionState {
    const state = { ...session, id: newId('ss'), createdAt: at, lastSeenAt: at };
    this.record(new SessionStarted({ id: this.userId }, { sessionId: state.id, method: state.method }));
    return state;
  }

  /** Without ids nothing ended, and there is no event. */
  end(sessionIds: readonly string[], reason: SessionEnd): void {
    if (sessionIds.length > 0) this.record(new SessionsEnded({ id: this.userId }, { sessionIds, reason }));
  }
}
