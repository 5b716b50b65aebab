import { CredentialExpiring, RotationEndingInUse, SecretExpiring } from '#event-types';
import type { DomainEvent, StoredSecret } from '#kernel';
import type { CredentialState } from './credential.ts';
import { DAY_MS, endOfSecret, workingSecrets } from './inherited-rules.ts';

/** How many days before an end a notice is written. */
const THRESHOLDS = [1, 7, 14, 30] as const;
type DaysLeft = (typeof THRESHOLDS)[number];

/** No notice is due earlier than this before an end. */
export const NOTICE_DAYS = 30;

/** A notice that is due for an end. */
export interface DueNotice {
  /** Names the end: another end, as after a moved expiry, has other notices. */
  readonly key: string;
  readonly daysLeft: DaysLeft;
  readonly endsAt: Date;
  readonly event: DomainEvent;
}

/** The notices due for a credential: at most one for each end, with the nearest threshold. Disabled ones have none. */
export function dueNotices(credential: CredentialState, at: Date): DueNotice[] {
  const { id, operationId, name, expiresAt, status, secrets, inherited } = credential;
  if (status !== 'active' || (expiresAt !== null && expiresAt <= at)) return [];
  const about = { id, operationId };
  const [current, ...older] = workingSecrets(secrets, inherited, at).live;
  const endOf = (secret: StoredSecret | undefined): Date | null =>
    secret === undefined ? null : endOfSecret(secret, inherited);
  return [
    due(`credential:${id}`, expiresAt, at, (daysLeft, end) => {
      return new CredentialExpiring(about, { name, daysLeft, expiresAt: end });
    }),
    due(`secret:${current?.id}`, endOf(current), at, (daysLeft, endsAt) => {
      return new SecretExpiring(about, { name, daysLeft, secretId: current?.id ?? '', endsAt });
    }),
    ...older.map((secret) => {
      if (!isUsedSince(secret, current)) return undefined;
      const lastUsedAt = secret.lastUsedAt?.toISOString() ?? '';
      return due(`rotation:${secret.id}`, endOf(secret), at, (daysLeft, endsAt) => {
        return new RotationEndingInUse(about, { name, daysLeft, secretId: secret.id, endsAt, lastUsedAt });
      });
    }),
  ].filter((notice) => notice !== undefined);
}

/** Whether the old secret was used after the current one had been made. */
function isUsedSince({ lastUsedAt }: StoredSecret, current: StoredSecret | undefined): boolean {
  return lastUsedAt !== null && current !== undefined && lastUsedAt > current.createdAt;
}

function due(
  subject: string,
  end: Date | null,
  at: Date,
  event: (daysLeft: DaysLeft, end: string) => DomainEvent,
): DueNotice | undefined {
  if (end === null) return undefined;
  const leftMs = end.getTime() - at.getTime();
  const daysLeft = THRESHOLDS.find((days) => leftMs <= days * DAY_MS);
  if (daysLeft === undefined) return undefined;
  const text = end.toISOString();
  return { key: `${subject}:${text}`, daysLeft, endsAt: end, event: event(daysLeft, text) };
}
