import { emptyHead, hashEvent } from './chain.ts';
import type { ChainHead, LogEvent } from './chain.ts';
import type { ChainName } from './chain-name.ts';

/**
 * The fault of a chain (docs/event-log-format.md):
 * `gap` events are missing before this one · `duplicate` its seq occurred before · `fork` a second event has the same
 * predecessor · `chain` it belongs to another chain · `prev-hash` it does not follow its predecessor · `hash` it was
 * altered · `checkpoint` a checkpoint signed another hash · `tail` events that a checkpoint or the head proves are
 * missing at the end. Only in the service: `head` the head has another hash than its event · `beyond` events are stored
 * after the head.
 */
export type ChainFaultReason =
  'gap' | 'duplicate' | 'fork' | 'chain' | 'prev-hash' | 'hash' | 'checkpoint' | 'tail' | 'head' | 'beyond';

/** The first fault of a chain; `seq` is that of the first bad event. */
export interface ChainFault {
  readonly seq: number;
  readonly reason: ChainFaultReason;
}

/** A signed position of a chain: its hash at a seq. */
export type Anchor = ChainHead;

/**
 * Checks one chain event by event, in ascending order of seq, in constant memory except for the anchors. Events after
 * the first fault are only counted.
 */
export class ChainVerifier {
  private current: ChainHead;
  private previousPrevHash: string | null = null;
  private found: ChainFault | null = null;
  private count = 0;
  private readonly anchors = new Map<number, string[]>();
  private lastAnchorSeq = 0;

  /**
   * @param chain the name from `chainName`
   * @param start the last event before the first one to check, if a retention dropped the earlier ones
   * @param anchors signed positions of this chain, from verified checkpoints
   */
  constructor(
    private readonly chain: ChainName,
    start: ChainHead = emptyHead(chain),
    anchors: Iterable<Anchor> = [],
  ) {
    this.current = start;
    for (const { seq, hash } of anchors) {
      this.anchors.set(seq, [...(this.anchors.get(seq) ?? []), hash]);
      this.lastAnchorSeq = Math.max(this.lastAnchorSeq, seq);
    }
  }

  /** The last event that is proven correct, or the start. */
  get head(): ChainHead {
    return this.current;
  }

  /** The number of events added, with or without a fault. */
  get events(): number {
    return this.count;
  }

  /** The first fault, or null. */
  get fault(): ChainFault | null {
    return this.found;
  }

  /** Adds the next event. Returns the first fault so far, or null. */
  add(event: LogEvent): ChainFault | null {
    this.count += 1;
    if (this.found !== null) return this.found;
    this.found = this.check(event);
    if (this.found === null) {
      this.previousPrevHash = event.prevHash;
      this.current = { seq: event.seq, hash: event.hash };
    }
    return this.found;
  }

  /** Call after the last event: finds a missing tail that an anchor proves. Returns the first fault, or null. */
  end(): ChainFault | null {
    if (this.found === null && this.lastAnchorSeq > this.current.seq) {
      this.found = { seq: this.current.seq + 1, reason: 'tail' };
    }
    return this.found;
  }

  private check(event: LogEvent): ChainFault | null {
    const { seq, hash } = this.current;
    if ((event.operationId ?? 'platform') !== this.chain) return { seq: event.seq, reason: 'chain' };
    if (event.seq > seq + 1) return { seq: seq + 1, reason: 'gap' };
    if (event.seq <= seq) {
      const forked = event.seq === seq && event.hash !== hash && event.prevHash === this.previousPrevHash;
      return { seq: event.seq, reason: forked ? 'fork' : 'duplicate' };
    }
    if (event.prevHash !== hash) return { seq: event.seq, reason: 'prev-hash' };
    if (hashOrNull(event) !== event.hash) return { seq: event.seq, reason: 'hash' };
    const signed = this.anchors.get(event.seq);
    if (signed?.some((anchor) => anchor !== event.hash)) return { seq: event.seq, reason: 'checkpoint' };
    return null;
  }
}

// an event without a canonical form was altered
function hashOrNull(event: LogEvent): string | null {
  try {
    return hashEvent(event);
  } catch {
    return null;
  }
}
