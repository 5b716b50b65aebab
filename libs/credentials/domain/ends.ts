import type { OperationPolicy, StoredSecret } from '#kernel';
import type { CredentialState } from './credential.ts';
import { DAY_MS, endOfSecret, workingSecrets } from './inherited-rules.ts';

/** How many days before an end it is announced. */
const THRESHOLDS = [1, 7, 14, 30] as const;
export type DaysLeft = (typeof THRESHOLDS)[number];

/** Nothing is announced earlier than this before an end. */
export const NOTICE_DAYS = 30;

/**
 * An end within 30 days: of the credential, of its current secret, or of the old secret of a rotation that was used
 * since.
 */
export interface NearEnd {
  readonly kind: 'credential' | 'secret' | 'rotation';
  /** The secret that ends; undefined for the credential. */
  readonly secret: StoredSecret | undefined;
  readonly endsAt: Date;
  /** The threshold that has passed last. */
  readonly daysLeft: DaysLeft;
}

type Limits = Pick<OperationPolicy, 'maxCredentialDays'>;

/** Everything about a credential that ends soon: notices and GET /v1/attention rest on it. Disabled ones have none. */
export function nearEnds(credential: CredentialState, { maxCredentialDays }: Limits, at: Date): NearEnd[] {
  const { expiresAt, status, secrets, inherited } = credential;
  if (status !== 'active' || (expiresAt !== null && expiresAt <= at)) return [];
  const [current, ...older] = workingSecrets(secrets, inherited, at).live;
  const ofSecret = (kind: NearEnd['kind'], secret: StoredSecret | undefined): NearEnd | undefined => {
    if (secret === undefined) return undefined;
    return near(kind, secret, endOfSecret(secret, inherited), at, inherited.maxSecretAgeDays);
  };
  return [
    near('credential', undefined, expiresAt, at, maxCredentialDays),
    ofSecret('secret', current),
    ...older.map((secret) => (isUsedSince(secret, current) ? ofSecret('rotation', secret) : undefined)),
  ].filter((end) => end !== undefined);
}

/** Whether the old secret was used after the current one had been made. */
function isUsedSince({ lastUsedAt }: StoredSecret, current: StoredSecret | undefined): boolean {
  return lastUsedAt !== null && current !== undefined && lastUsedAt > current.createdAt;
}

/** @param longestDays the policy's limit: a threshold that is not below it would be passed from the first day on */
function near(
  kind: NearEnd['kind'],
  secret: StoredSecret | undefined,
  endsAt: Date | null,
  at: Date,
  longestDays: number | null,
): NearEnd | undefined {
  if (endsAt === null) return undefined;
  const leftMs = endsAt.getTime() - at.getTime();
  const daysLeft = THRESHOLDS.find((days) => leftMs <= days * DAY_MS && days < (longestDays ?? Infinity));
  return daysLeft === undefined ? undefined : { kind, secret, endsAt, daysLeft };
}
