import { SessionStarted, SessionsEnded } from '#event-types';
import type { EventData } from '#event-types';
import { Aggregate, newId } from '#kernel';

/** How the person of a session signed in. */
export type SignInMethod = 'password' | 'oidc';

/** Why sessions ended before they expired. */
export type SessionEnd = EventData<typeof SessionsEnded.description>['reason'];

/** A signed-in browser. Only the digest of its cookie is stored. */
export interface SessionState {
  readonly id: string;
  readonly digest: string;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly createdAt: Date;
  /** As exact as the step of `SessionLimits`. */
  readonly lastSeenAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** How long sessions last, in milliseconds. */
export interface SessionLimits {
  /** Time without a request after which a session expires. */
  readonly idleMs: number;
  /** Maximum lifetime of a session. */
  readonly maxMs: number;
}

/** Maximum number of sessions of a person. One more sign-in ends the least recently used session. */
export const MAX_SESSIONS = 50;
const MAX_STEP_MS = 60_000;
const STEPS_PER_IDLE = 30;

/** When the session expires if it is not used, and when it expires in any case. */
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
 * Whether to store that the session was used: not at each request, but often enough for the idle limit.
 */
export function isTouchDue({ lastSeenAt }: SessionState, { idleMs }: SessionLimits, nowMs: number): boolean {
  return nowMs - lastSeenAt.getTime() >= Math.min(MAX_STEP_MS, idleMs / STEPS_PER_IDLE);
}

/** The attributes of a new session. */
export interface NewSession {
  readonly digest: string;
  readonly userId: string;
  readonly method: SignInMethod;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** The sessions of one person. Their events belong to the person. */
export class UserSessions extends Aggregate {
  constructor(private readonly userId: string) {
    super();
  }

  start(session: NewSession, at: Date): SessionState {
    const state = { ...session, id: newId('ss'), createdAt: at, lastSeenAt: at };
    this.record(new SessionStarted({ id: this.userId }, { sessionId: state.id, method: state.method }));
    return state;
  }

  /** Emits no event without ids. */
  end(sessionIds: readonly string[], reason: SessionEnd): void {
    if (sessionIds.length > 0) this.record(new SessionsEnded({ id: this.userId }, { sessionIds, reason }));
  }
}
