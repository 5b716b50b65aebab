import type { GovernedCredential } from '#credentials';
import type { AttentionItem } from '../attention-item.ts';

/** An item about a credential. */
export function credentialItem(
  { state }: GovernedCredential,
  item: Omit<AttentionItem, 'operationId' | 'subject'>,
): AttentionItem {
  const subject = { type: 'credential' as const, id: state.id, name: state.name };
  return { ...item, operationId: state.operationId, subject };
}

export const DAY_MS = 86_400_000;
/** How long something may be unused before it needs attention: as long as use is kept. */
export const UNUSED_DAYS = 90;

export function daysBefore(at: Date, days: number): Date {
  return new Date(at.getTime() - days * DAY_MS);
}

export function latest(...times: readonly Date[]): Date {
  return new Date(Math.max(...times.map((time) => time.getTime())));
}
