import { isIPv6 } from 'node:net';

/** First segments of our own paths: below one of them, a path of ours and one behind PUBLIC_URL could not be told apart. */
const OWN_SEGMENTS = ['v1', 'oauth2', 'docs', 'console', '.well-known', 'livez', 'readyz', 'metrics', 'openapi.json'];

/** Without the slashes at its end. @param text a URL @throws Error that says what its path may be */
export function checkedPublicUrl(text: string): string {
  const trimmed = text.replace(/\/+$/, '');
  const path = new URL(text).pathname.replace(/\/+$/, '');
  if (
    path !== '' &&
    (!/^(?:\/[A-Za-z0-9._~-]+)+$/.test(path) || !new RegExp(`^[a-z]+://[^/]+${path}$`, 'i').test(trimmed))
  ) {
    throw new Error('PUBLIC_URL may have a path of A-Z a-z 0-9 . _ ~ - and single slashes, such as /auth');
  }
  if (OWN_SEGMENTS.includes(path.split('/')[1] ?? '')) {
    throw new Error(`PUBLIC_URL must not have a path that begins like one of Latchkey: ${OWN_SEGMENTS.join(', ')}`);
  }
  return trimmed;
}

/** What clients are told to use where PUBLIC_URL is not set. */
export function localUrl(host: string, port: number): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
