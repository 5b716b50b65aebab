import type { FastifyRequest } from 'fastify';
import { DomainError } from '#kernel';

const SAFE_METHODS = ['GET', 'HEAD'];

type Asked = Pick<FastifyRequest, 'method' | 'headers'>;

/**
 * Refuses a write that may come from a page of another site, because browsers attach the session cookie automatically.
 * Checks `Sec-Fetch-Site` (Fetch Metadata), or `Origin` where browsers omit it, as over plain http.
 *
 * @param origin of PUBLIC_URL
 * @throws DomainError `cross-site-request`
 */
export function checkSameOrigin({ method, headers }: Asked, origin: string): void {
  if (SAFE_METHODS.includes(method)) return;
  if (headers['sec-fetch-site'] === 'same-origin' || headers.origin === origin) return;
  throw new DomainError(
    'cross-site-request',
    'With a session, you can make changes only from the pages of this service. ' +
      'Programs sign in with HTTP Basic, a bearer token or an API key.',
  );
}

/**
 * The check for HTTP Basic, whose password a browser may remember. Programs send no `Sec-Fetch-Site`, so only an
 * explicit `cross-site` is refused.
 *
 * @throws DomainError `cross-site-request`
 */
export function checkNotCrossSite({ method, headers }: Asked): void {
  if (SAFE_METHODS.includes(method) || headers['sec-fetch-site'] !== 'cross-site') return;
  throw new DomainError(
    'cross-site-request',
    'A page of another site sent this request. Send it from a page of this service, or from a program.',
  );
}
