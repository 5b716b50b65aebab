import { METHODS } from './document.ts';
import type { Document, PathItem } from './document.ts';
import { tags } from './tags.ts';

/** Those of which the order of names is not the order in which one needs them. */
const byHand = ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke', '/oauth2/forward-auth'];

/**
 * Puts the paths in the order of their tags, what is made before what it holds: so one can go down the page and try it
 * out.
 */
export function orderPaths(document: Document): void {
  const keyOf = ([path, item]: [string, PathItem]): string => {
    const hand = byHand.indexOf(path);
    return [pad(tagIndexOf(item)), pad(hand < 0 ? byHand.length : hand), path].join(' ');
  };
  const ordered = Object.entries(document.paths).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  document.paths = Object.fromEntries(ordered);
}

function tagIndexOf(item: PathItem): number {
  const tag = METHODS.map((method) => item[method]?.tags?.[0]).find((name) => name !== undefined);
  const index = tags.findIndex(({ name }) => name === tag);
  return index < 0 ? tags.length : index;
}

function pad(index: number): string {
  return String(index).padStart(3, '0');
}
