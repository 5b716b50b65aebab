import type { FastifyInstance } from 'fastify';
import { STORE_DEADLINE_MS, beforeDeadline } from '#mongo';

/** Routes without a deadline: they stream their answer or read the whole log. */
const UNLIMITED_PATHS = ['/v1/events/export', '/v1/events/verify', '/v1/checkpoints', '/v1/reviews/access'];

/**
 * Gives each admin request one deadline for all its store calls (sign-in, Idempotency-Key, the work itself), so that a
 * slow store leads to a 503 within three seconds in total.
 */
export function addDeadline(instance: FastifyInstance): void {
  // starts after the body was read, because a slow upload is not the store's fault
  instance.addHook('preValidation', (request, _reply, done) => {
    if (!request.url.startsWith('/v1/') || UNLIMITED_PATHS.some((path) => request.url.startsWith(path))) done();
    else beforeDeadline(performance.now() + STORE_DEADLINE_MS, done);
  });
}
