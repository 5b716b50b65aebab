import type { FastifyRequest } from 'fastify';
import type { CallContext } from '#kernel';
import type { Principal } from '#identity';

/** What the hooks and guards find out about a request, kept on it for whoever comes after. */
export interface LatchkeyRequest extends FastifyRequest {
  /** The caller's canonical address; undefined when it cannot be told (then everything that needs it is refused). */
  clientAddress: string | undefined;
  /** Who signed in; set by the guard on every route that is not public. */
  principal: Principal | undefined;
  /** Set while the request holds the reservation of an Idempotency-Key. */
  idempotencyId: string | undefined;
}

/**
 * Who asks, for the event log.
 *
 * @throws Error on a route without a signed-in person: a mistake of ours
 */
export function callContext(request: LatchkeyRequest): CallContext {
  const { principal, idempotencyId } = request;
  if (principal === undefined) throw new Error('no principal on a route that needs one');
  return {
    actor: { type: 'user', id: principal.userId, ip: request.clientAddress ?? null },
    requestId: request.id,
    ...(idempotencyId === undefined ? {} : { idempotencyId }),
  };
}
