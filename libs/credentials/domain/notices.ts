import { CredentialExpiring, RotationEndingInUse, SecretExpiring } from '#event-types';
import type { DomainEvent, OperationPolicy } from '#kernel';
import type { CredentialState } from './credential.ts';
import { nearEnds } from './ends.ts';
import type { DaysLeft, NearEnd } from './ends.ts';

/** A notice that is due for an end. */
export interface DueNotice {
  /** Names the end: another end, as after a moved expiry, has other notices. */
  readonly key: string;
  readonly daysLeft: DaysLeft;
  readonly endsAt: Date;
  readonly event: DomainEvent;
}

/** The notices due for a credential: at most one for each end, with the nearest threshold. */
export function dueNotices(credential: CredentialState, policy: OperationPolicy, at: Date): DueNotice[] {
  return nearEnds(credential, policy, at).map((end) => ({
    key: `${end.kind}:${end.secret?.id ?? credential.id}:${end.endsAt.toISOString()}`,
    daysLeft: end.daysLeft,
    endsAt: end.endsAt,
    event: eventOf(end, credential),
  }));
}

function eventOf({ kind, secret, endsAt: end, daysLeft }: NearEnd, credential: CredentialState): DomainEvent {
  const { id, operationId, name } = credential;
  const about = { id, operationId };
  const endsAt = end.toISOString();
  if (kind === 'credential') return new CredentialExpiring(about, { name, daysLeft, expiresAt: endsAt });
  const secretId = secret?.id ?? '';
  if (kind === 'secret') return new SecretExpiring(about, { name, daysLeft, secretId, endsAt });
  const lastUsedAt = secret?.lastUsedAt?.toISOString() ?? '';
  return new RotationEndingInUse(about, { name, daysLeft, secretId, endsAt, lastUsedAt });
}
