import { SignInRefused } from '#event-types';
import type { LogEvent, UnchainedEvent, RefusalDocument } from '#events';

/** An event as it is shown and exported: in its chain, or outside of all of them. */
export type EventView = LogEvent | UnchainedEvent;

/** Type of the events that sum up refusals. */
export const REFUSAL_TYPE = SignInRefused.type;

const claimants: Readonly<Record<string, 'user' | 'resource-server'>> = {
  user: 'user',
  'resource-server': 'resource-server',
};

/**
 * A sum of refusals as an event. Its actor is whom the caller claimed to be, which nobody proved; the address is told only
 * when there was but one, and `data.addresses` names up to ten.
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
