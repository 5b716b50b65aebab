const SCHEME_AND_HOST = /^https?:\/\/[^/?#]*/i;
const ESCAPE = /%[0-9A-Fa-f]{2}/g;
const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/**
 * Normalises a request target, so that every check sees what the router sees: origin form (RFC 9112 3.2.2) and no
 * escaped unreserved characters (RFC 3986 6.2.2.2). A `#` is invalid there; escaped, it matches no route.
 *
 * @param target the request target as it was sent
 */
export function normalTarget(target: string): string {
  if (target.charCodeAt(0) === SLASH && !target.includes('%') && !target.includes('#')) return target;
  const origin = target.replace(SCHEME_AND_HOST, '').replaceAll('#', '%23');
  const rooted = origin.startsWith('/') || origin === '*' ? origin : `/${origin}`;
  const question = rooted.indexOf('?');
  const path = question < 0 ? rooted : rooted.slice(0, question);
  return path.replace(ESCAPE, unescapeUnreserved) + (question < 0 ? '' : rooted.slice(question));
}

const SLASH = 47;

function unescapeUnreserved(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return UNRESERVED.test(character) ? character : escape;
}
