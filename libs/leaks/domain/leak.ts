/** What a text can be. */
export const LEAK_KINDS = [
  'access-token',
  'client-secret',
  'resource-server-secret',
  'api-key',
  'session-cookie',
  'none',
] as const;
export type LeakKind = (typeof LEAK_KINDS)[number];

/** Who has to be told, and in which operation; null for the platform. */
export interface LeakOwner {
  readonly type: 'credential' | 'resource-server' | 'user';
  readonly id: string;
  readonly name: string;
  readonly operationId: string | null;
  readonly owner: string | null;
  readonly contact: string | null;
}

/** Why something that is live cannot be used at the moment. */
export type LeakBlock = 'disabled' | 'suspended' | 'expired' | 'too-old';

/** What was found out about a text that is a token or a secret. */
export interface FoundLeak {
  /** Its public id; null when the token itself is not stored any more. */
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

/** @param found undefined when nothing is known of it, or when the caller may not know */
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
