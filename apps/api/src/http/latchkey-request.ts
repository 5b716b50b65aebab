import type { FastifyRequest } from 'fastify';
import type { CallContext } from '#kernel';
import type { DryRun } from '#access';
import type { Principal } from '#identity';

/** A request with the results of the hooks and guards. */
export interface LatchkeyRequest extends FastifyRequest {
  /** The caller's canonical address. Undefined if it cannot be read; everything that needs it is then refused. */
  clientAddress: string | undefined;
  /** The signed-in person. Set by the guard on every route that is not public. */
  principal: Principal | undefined;
  /** Set while the request holds the reservation of an Idempotency-Key. */
  idempotencyId: string | undefined;
  /** Set if the request is a dry run. */
  dryRun: DryRun | undefined;
}

/**
 * The actor and request id for the event log.
 *
 * @throws Error on a route without a signed-in person, which is a programming error
 */
export function callContext(request: LatchkeyRequest): CallContext {
  const { principal, idempotencyId, dryRun } = request;
  if (principal === undefined) throw new Error('no principal on a route that needs one');
  return {
    actor: {
      type: principal.kind === 'service' ? 'service' : 'user',
      id: principal.userId,
      ip: request.clientAddress ?? null,
    },
    requestId: request.id,
    ...(idempotencyId === undefined ? {} : { idempotencyId }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
}
