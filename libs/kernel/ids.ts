import { v7 } from 'uuid';

/** Prefixes of opaque ids: what an id is of can be seen, what else is in it is nobody's business. */
export type IdPrefix = 'op' | 'cr' | 'se' | 'rs' | 'us' | 'tk' | 'ev' | 'cp';

/** A new opaque id. Ids of one kind sort by the time of their making (UUIDv7, RFC 9562 5.7). */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${v7().replaceAll('-', '')}`;
}
