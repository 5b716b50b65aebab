import Negotiator from 'negotiator';

/**
 * Whether an Accept header admits one of these media types. Types and weights count, other parameters are ignored: no
 * representation here has any (RFC 9110 12.5.1).
 * @param accept undefined or empty admits everything
 */
export function accepts(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '*/*' || types.includes(accept) || accept.trim() === '') return true;
  // quoted values first: they may hold commas and semicolons
  const bare = accept.replace(/"(?:[^"\\]|\\.)*"?/g, '').replace(/;\s*(?!q\s*=)[^;,]*/gi, '');
  return new Negotiator({ headers: { accept: bare } }).mediaTypes([...types]).length > 0;
}
