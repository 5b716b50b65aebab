import { nameOf } from './call.ts';
import type { NamedPart } from './call.ts';
import type { Thing } from './page-state.ts';

/**
 * Whether a call takes something away for good. Such a call asks first, and is never filled in with the thing it ends.
 */
export function isDestructive(template: string, method: string): boolean {
  return method === 'delete' || template.endsWith('/rotate-secret');
}

/**
 * What the page asks before it sends a destructive call: "Delete Invoice robot?".
 * @param summary of the operation, such as "Delete a credential" or "End all tokens"
 * @param parts the things that its path names, with what is known of them
 */
export function questionFor(summary: string, parts: readonly (readonly [NamedPart, Thing | undefined])[]): string {
  const named = parts.findLast(([part]) => part.hasName);
  const last = parts.at(-1);
  if (named === undefined) return `${summary}?`;
  const name = nameOf(...named);
  if (last === named && /^Delete an? /.test(summary)) return `Delete ${name}?`;
  return `${summary.replace(/ of an? .*$/, '')} of ${name}?`;
}
