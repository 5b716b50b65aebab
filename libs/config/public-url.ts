import { isIPv6 } from 'node:net';

/**
 * First segments of our own paths: below one of them, a path of ours and one behind PUBLIC_URL could not be told
 * apart.
 */
const OWN_SEGMENTS = [
  'v1',
  'oauth2',
  'docs',
  'console',
  'sign-in',
  '.well-known',
  'livez',
  'readyz',
  'metrics',
  'openapi.json',
];

/** Removes trailing slashes. @throws Error that says which paths are valid */
export function checkedPublicUrl(text: string): string {
  const trimmed = text.replace(/\/+$/, '');
  const path = new URL(text).pathname.replace(/\/+$/, '');
  if (
    path !== '' &&
    (!/^(?:\/[A-Za-z0-9._~-]+)+$/.test(path) || !new RegExp(`^[a-z]+://[^/]+${path}$`, 'i').test(trimmed))
  ) {
    throw new Error('PUBLIC_URL must have a path of A-Z a-z 0-9 . _ ~ - and single slashes, such as /auth');
  }
  if (OWN_SEGMENTS.includes(path.split('/')[1] ?? '')) {
    throw new Error(
      `PUBLIC_URL must not have a path that begins with one of Latchkey's own: ${OWN_SEGMENTS.join(', ')}`,
    );
  }
  return trimmed;
}

/** The issuer if PUBLIC_URL is not set. */
export function localUrl(host: string, port: number): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
