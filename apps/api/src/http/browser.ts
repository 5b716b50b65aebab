import type { LatchkeyRequest } from './latchkey-request.ts';

const MAX_USER_AGENT = 256;

/** What is kept of the browser that someone signs in with. */
export function browserOf({ clientAddress, headers, id }: LatchkeyRequest): {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
} {
  const agent = headers['user-agent']?.slice(0, MAX_USER_AGENT).replaceAll(/[^\x20-\x7e]/g, '?');
  return { ip: clientAddress ?? null, userAgent: agent ?? null, requestId: id };
}
