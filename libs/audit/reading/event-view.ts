import type { LogEvent, UnchainedEvent } from '#chain';
import { SignInRefused } from '#event-types';
import type { RefusalDocument } from '#events';

/** An event as shown and exported: in a chain, or outside the chains. */
export type EventView = LogEvent | UnchainedEvent;

/** The type of refusal summaries. */
export const REFUSAL_TYPE = SignInRefused.type;

const claimants: Readonly<Record<string, 'user' | 'resource-server'>> = {
  user: 'user',
  'resource-server': 'resource-server',
};

/**
 * A refusal summary as an event. Its actor is the claimed one, which is not proven. `ip` is set only if there was a
 * single address; `data.addresses` has up to ten.
 */
export function refusalEvent({
  id,
  minute,
  operationId,
  subject,
  reason,
  count,
  addresses,
}: RefusalDocument): EventView {
  const [first = null, ...others] = addresses;
  return {
    id,
    seq: null,
    operationId,
    type: REFUSAL_TYPE,
    at: minute.toISOString(),
    actor: { type: claimants[subject.type] ?? 'client', id: subject.id, ip: others.length === 0 ? first : null },
    subject,
    outcome: 'refused',
    data: { reason, count, addresses, minute: minute.toISOString() },
    requestId: null,
    prevHash: null,
    hash: null,
  };
}
