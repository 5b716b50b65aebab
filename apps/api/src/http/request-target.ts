const SCHEME_AND_HOST = /^https?:\/\/[^/?#]*/i;
const ESCAPE = /%[0-9A-Fa-f]{2}/g;
const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/**
 * One spelling for what means the same, so that whoever looks at the address sees what the router sees: the origin form
 * (RFC 9112 3.2.2 has servers take the absolute form too), and no escape of an unreserved character in the path (RFC 3986
 * 6.2.2.2). A `#`, which belongs in no request target, becomes part of the path, and so of no path there is.
 *
 * @param target the request target as it was sent
 */
export function normalTarget(target: string): string {
  if (target.charCodeAt(0) === SLASH && !target.includes('%') && !target.includes('#')) return target;
  const origin = target.replace(SCHEME_AND_HOST, '').replaceAll('#', '%23');
  const rooted = origin.startsWith('/') || origin === '*' ? origin : `/${origin}`;
  const question = rooted.indexOf('?');
  const path = question < 0 ? rooted : rooted.slice(0, question);
  return path.replace(ESCAPE, plain) + (question < 0 ? '' : rooted.slice(question));
}

const SLASH = 47;

function plain(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return UNRESERVED.test(character) ? character : escape;
}
