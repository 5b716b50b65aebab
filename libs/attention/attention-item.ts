export const ATTENTION_KINDS = [
  'credential-expiring',
  'secret-expiring',
  'rotation-ending-in-use',
  'credential-unused',
  'unrestricted-ips',
  'policy-violated',
  'apis-unused',
  'refusals-rising',
  'job-failed',
  'chain-unverified',
  'signing-key-missing',
] as const;
export type AttentionKind = (typeof ATTENTION_KINDS)[number];

/** The worst first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A call of the API that makes the item go away. */
export interface Fix {
  readonly method: 'PATCH' | 'POST' | 'DELETE';
  readonly path: string;
  /** The value of the header If-Match: the call changes only what the item was judged by. */
  readonly ifMatch?: string;
  readonly body?: object;
  /** What the call does. */
  readonly effect: string;
}

/** Something that needs a person. */
export interface AttentionItem {
  readonly kind: AttentionKind;
  readonly severity: Severity;
  /** Null for the platform. */
  readonly operationId: string | null;
  readonly subject: {
    readonly type: 'credential' | 'chain' | 'job' | 'service';
    readonly id: string;
    readonly name: string | null;
  };
  /** It has been so since then, or longer. */
  readonly since: Date;
  /** When it ends by itself, for what ends. */
  readonly until?: Date;
  readonly detail: string;
  /** Null if no call of the API can fix it. */
  readonly fix: Fix | null;
}

/** A kind that could not be judged, and why. */
export interface UncheckedKind {
  readonly kind: AttentionKind;
  readonly detail: string;
}
