/** Reads an Authorization header from the raw lines, because Node's parsed headers silently keep the first of two. */

/** The header is missing · is invalid or present twice · has another scheme. */
export type NoCredentials = 'absent' | 'malformed' | 'other-scheme';

// RFC 9110 11.4: the scheme is a token; parameters follow after a space
const SCHEME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: |$)/;

/** The only line with this name in `rawHeaders` (name, value, name, value …). The name is in lower case. */
function lineOf(rawHeaders: readonly string[], name: string): { text: string } | 'absent' | 'malformed' {
  let line: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const candidate = rawHeaders[at];
    if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue;
    if (line !== undefined) return 'malformed';
    line = rawHeaders[at + 1];
  }
  return line === undefined ? 'absent' : { text: line };
}

/** The only line with this name; undefined if there is none, or more than one. @param name in lower case */
export function onlyLine(rawHeaders: readonly string[], name: string): string | undefined {
  const found = lineOf(rawHeaders, name);
  return typeof found === 'string' ? undefined : found.text;
}

/**
 * Returns the part after the scheme in the only header line with this name.
 * @param rawHeaders Node's `req.rawHeaders`
 * @param scheme in lower case; the comparison is case-insensitive (RFC 9110 11.1)
 */
export function authorizationOf(
  rawHeaders: readonly string[],
  scheme: string,
  headerName: string,
): { parameters: string } | NoCredentials {
  const found = lineOf(rawHeaders, headerName.toLowerCase());
  if (typeof found === 'string') return found;
  const line = found.text;
  if (!SCHEME.test(line)) return 'malformed';
  const space = line.indexOf(' ');
  const given = space < 0 ? line : line.slice(0, space);
  if (given.toLowerCase() !== scheme) return 'other-scheme';
  // RFC 9110 11.4: one space or more
  return space < 0 ? 'malformed' : { parameters: line.slice(space).replace(/^ +/, '') };
}
