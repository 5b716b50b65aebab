import { z } from 'zod';
import type { OidcFlow } from '#openid-connect';
import type { SessionCookie } from '../http/session-cookie.ts';
import { isOwnPath } from './return-to.ts';

/** How long someone may take at the provider, in seconds. */
const MAX_SECONDS = 600;

const flowSchema = z.strictObject({
  state: z.string().min(1),
  nonce: z.string().min(1),
  verifier: z.string().min(1),
  returnTo: z.string().refine(isOwnPath),
});

/** `Set-Cookie` with what a sign-in at the provider needs when the person comes back. Only their own browser has it. */
export function setFlow(cookie: SessionCookie, flow: OidcFlow): string {
  const value = Buffer.from(JSON.stringify(flow)).toString('base64url');
  return cookie.other('oidc').set(value, MAX_SECONDS);
}

/** `Set-Cookie` that removes it: a sign-in is finished once. */
export function clearFlow(cookie: SessionCookie): string {
  return cookie.other('oidc').clear();
}

/** What the browser kept; undefined when it is gone, or was not made here. */
export function readFlow(cookie: SessionCookie, header: string | undefined): OidcFlow | undefined {
  const value = cookie.other('oidc').read(header);
  if (value === undefined) return undefined;
  try {
    return flowSchema.parse(JSON.parse(Buffer.from(value, 'base64url').toString()));
  } catch {
    return undefined;
  }
}
