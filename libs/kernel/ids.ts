import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Prefixes of opaque ids: what an id is of can be seen, what else is in it is nobody's business. */
export type IdPrefix = 'op' | 'cr' | 'se' | 'rs' | 'us' | 'ss' | 'ky' | 'tk' | 'ev' | 'cp' | 'uh' | 'rv';

const BYTES_EACH = 16;
// one system call for 256 ids: a call per id would cost more than the rest of the work
const pool = Buffer.alloc(BYTES_EACH * 256);
let poolAt = pool.length;
/** Ids of one millisecond count up from a random start, so that they sort by creation too. */
let last = { msecs: 0, seq: 0 };

/** A new opaque id (UUIDv7, RFC 9562 5.7, 6.2). Ids sort by creation time; within one process, by order of creation. */
export function newId(prefix: IdPrefix): string {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const random = pool.subarray(poolAt, (poolAt += BYTES_EACH));
  const msecs = Date.now();
  // 30 of 32 bits: leaves room to count up within a millisecond, or until a clock that was set back catches up
  last = msecs > last.msecs ? { msecs, seq: random.readUInt32BE(0) >>> 2 } : { msecs: last.msecs, seq: last.seq + 1 };
  return `${prefix}_${v7({ random, ...last }).replaceAll('-', '')}`;
}
