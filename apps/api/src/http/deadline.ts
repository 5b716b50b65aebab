import type { FastifyInstance } from 'fastify';
import { STORE_DEADLINE_MS, beforeDeadline } from '#mongo';

/** What answers with a stream, or looks through all of the log: it takes as long as it takes. */
const LONG = ['/v1/events/export', '/v1/events/verify', '/v1/checkpoints'];

/**
 * Gives each request of the admin API one deadline for all that it asks of the store: sign-in, Idempotency-Key and the work
 * itself come one after the other, and a store that is slow for each is to be a 503 within three seconds all the same.
 */
export function addDeadline(instance: FastifyInstance): void {
  // after the body was read: how long that takes is the caller's doing
  instance.addHook('preValidation', (request, _reply, done) => {
    if (!request.url.startsWith('/v1/') || LONG.some((path) => request.url.startsWith(path))) done();
    else beforeDeadline(performance.now() + STORE_DEADLINE_MS, done);
  });
}
