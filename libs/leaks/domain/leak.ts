/** The kinds of a reported text. */
export const LEAK_KINDS = [
  'access-token',
  'client-secret',
  'resource-server-secret',
  'api-key',
  'session-cookie',
  'none',
] as const;
export type LeakKind = (typeof LEAK_KINDS)[number];

/** The owner of a leaked text. */
export interface LeakOwner {
  readonly type: 'credential' | 'resource-server' | 'user';
  readonly id: string;
  readonly name: string;
  readonly operationId: string | null;
  readonly owner: string | null;
  readonly contact: string | null;
}

/** The reason why a live token or secret cannot be used at the moment. */
export type LeakBlock = 'disabled' | 'suspended' | 'expired' | 'too-old';

/** A token or secret that was found in the store. */
export interface FoundLeak {
  /** Its public id; null if the token itself is no longer stored. */
  readonly id: string | null;
  readonly belongsTo: LeakOwner;
  /** Whether it is neither ended nor expired. */
  readonly live: boolean;
  readonly expiresAt: Date | null;
  readonly blocked: LeakBlock | null;
}

/** The answer about a text. */
export interface LeakReport {
  readonly kind: LeakKind;
  readonly id: string | null;
  readonly belongsTo: LeakOwner | null;
  readonly live: boolean;
  readonly blocked: LeakBlock | null;
  readonly expiresAt: string | null;
  readonly revoked: boolean;
}

/** Whether an end has passed; null never ends. */
export function hasPassed(end: Date | null, nowMs: number): boolean {
  return end !== null && end.getTime() <= nowMs;
}

/** @param found undefined if it is unknown, or if the caller may not see it */
export function leakReport(kind: LeakKind, found: FoundLeak | undefined, revoked: boolean): LeakReport {
  return {
    kind,
    id: found?.id ?? null,
    belongsTo: found?.belongsTo ?? null,
    live: found?.live ?? false,
    blocked: found?.blocked ?? null,
    expiresAt: found?.expiresAt?.toISOString() ?? null,
    revoked,
  };
}
