import Negotiator from 'negotiator';

/**
 * Whether an Accept header allows one of these media types. Parameters other than weights are ignored, because no
 * representation here has any (RFC 9110 12.5.1).
 * @param accept undefined or empty allows everything
 */
export function accepts(accept: string | undefined, types: readonly string[]): boolean {
  if (accept === undefined || accept === '*/*' || types.includes(accept) || accept.trim() === '') return true;
  // remove quoted values first: they may contain commas and semicolons
  const bare = accept.replace(/"(?:[^"\\]|\\.)*"?/g, '').replace(/;\s*(?!q\s*=)[^;,]*/gi, '');
  return new Negotiator({ headers: { accept: bare } }).mediaTypes([...types]).length > 0;
}
