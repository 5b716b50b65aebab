import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Prefixes of opaque ids: what an id is of can be seen, what else is in it is nobody's business. */
export type IdPrefix = 'op' | 'cr' | 'se' | 'rs' | 'us' | 'ss' | 'tk' | 'ev' | 'cp';

const BYTES_EACH = 16;
// asking the system for an id's few bytes each time would cost more than all the rest of making it
const pool = Buffer.alloc(BYTES_EACH * 256);
let poolAt = pool.length;
/** Ids of one millisecond count up from a random start, so that they sort by the order of their making too. */
let last = { msecs: 0, seq: 0 };

/** A new opaque id. Ids of one kind that one process made sort by their making, others by its time (UUIDv7, RFC 9562 5.7, 6.2). */
export function newId(prefix: IdPrefix): string {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const random = pool.subarray(poolAt, (poolAt += BYTES_EACH));
  const msecs = Date.now();
  // 30 of the 32 bits: room for more ids than can be made in a millisecond, or while a clock that was set back catches up
  last = msecs > last.msecs ? { msecs, seq: random.readUInt32BE(0) >>> 2 } : { msecs: last.msecs, seq: last.seq + 1 };
  return `${prefix}_${v7({ random, ...last }).replaceAll('-', '')}`;
}
