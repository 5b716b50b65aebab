import { endsOf } from '../domain/session.ts';
import type { SessionLimits, SessionState, SignInMethod } from '../domain/session.ts';

/** One of a person's sessions, as the API shows it. */
export interface SessionView {
  readonly id: string;
  readonly method: SignInMethod;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly idleExpiresAt: string;
  readonly expiresAt: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export function sessionView(state: SessionState, limits: SessionLimits): SessionView {
  const { idleExpiresAt, expiresAt } = endsOf(state, limits);
  return {
    id: state.id,
    method: state.method,
    createdAt: state.createdAt.toISOString(),
    lastSeenAt: state.lastSeenAt.toISOString(),
    idleExpiresAt: idleExpiresAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    ip: state.ip,
    userAgent: state.userAgent,
  };
}
