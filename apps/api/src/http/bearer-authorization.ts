import type { NoCredentials } from './authorization-header.ts';
import { authorizationOf } from './authorization-header.ts';

// RFC 6750 2.1
const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * The bearer token of an Authorization header (RFC 6750 2.1).
 * @param rawHeaders Node's `req.rawHeaders`
 * @param headerName the header to read
 */
export function parseBearerAuthorization(
  rawHeaders: readonly string[],
  headerName = 'authorization',
): { token: string } | NoCredentials {
  const found = authorizationOf(rawHeaders, 'bearer', headerName);
  if (typeof found === 'string') return found;
  return B64TOKEN.test(found.parameters) ? { token: found.parameters } : 'malformed';
}
