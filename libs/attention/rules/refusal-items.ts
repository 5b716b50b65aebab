import type { GovernedCredential } from '#credentials';
import type { RefusalReason } from '#event-types';
import type { HourRefusals } from '#usage';
import type { AttentionItem } from '../attention-item.ts';
import { editFix, rotateFix } from '../fixes.ts';
import { credentialItem, daysBefore } from './credential-item.ts';

/** Refusals by address and by limit. */
const REASONS = { address: ['address', 'no-address'], limit: ['token-limit'] } as const satisfies Record<
  string,
  readonly RefusalReason[]
>;
export const COUNTED_REASONS: readonly RefusalReason[] = [...REASONS.address, ...REASONS.limit];

/** The last day is compared with the average of the days before it. */
export const COMPARED_DAYS = 8;
const MIN_REFUSALS = 10;
const MIN_RISE = 2;

/** What was refused in the last 24 hours, and clearly more often than in the week before. */
export function refusalItems(
  credential: GovernedCredential,
  refusals: readonly HourRefusals[],
  at: Date,
): AttentionItem[] {
  const dayAgo = daysBefore(at, 1);
  return (['address', 'limit'] as const).flatMap((cause) => {
    const reasons: readonly RefusalReason[] = REASONS[cause];
    const own = refusals.filter(({ reason }) => reasons.includes(reason));
    // a change since then may have been the remedy
    const recent = own.filter(({ hour }) => hour >= dayAgo && hour >= credential.state.updatedAt);
    const count = sum(recent);
    const averageBefore = sum(own.filter(({ hour }) => hour < dayAgo)) / (COMPARED_DAYS - 1);
    if (count < MIN_REFUSALS || count <= MIN_RISE * averageBefore) return [];
    const since = new Date(Math.min(...recent.map(({ hour }) => hour.getTime())));
    const usual = `${count} times in the last 24 hours, ${averageBefore.toFixed(1)} times a day in the week before`;
    const item = {
      kind: 'refusals-rising',
      severity: 'warning',
      since,
      ...remedy(credential, cause, usual, at),
    } as const;
    return [credentialItem(credential, item)];
  });
}

function remedy(
  credential: GovernedCredential,
  cause: keyof typeof REASONS,
  usual: string,
  at: Date,
): Pick<AttentionItem, 'detail' | 'fix'> {
  if (cause === 'address') {
    const detail =
      `It was refused for its address ${usual}. Its events of type sign-in.refused.v1 name the addresses. If they are its ` +
      'clients’, add them to its Allowed IPs; if not, its secret has leaked: rotate it.';
    return { detail, fix: rotateFix(credential, at) };
  }
  const detail = `It was refused a token because it had ten live ones, ${usual}. Let its clients reuse their tokens, or replace the oldest.`;
  const effect = 'From now on an eleventh token ends the oldest one instead of being refused.';
  return { detail, fix: editFix(credential, { tokenLimitPolicy: 'evict_oldest' }, effect) };
}

function sum(refusals: readonly HourRefusals[]): number {
  return refusals.reduce((total, { count }) => total + count, 0);
}
