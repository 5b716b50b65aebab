import { emptyHead, hashEvent } from './chain.ts';
import type { ChainHead, LogEvent } from './chain.ts';

/**
 * Why a chain is not whole, in the words of docs/event-log-format.md:
 * `gap` events are missing before this one · `duplicate` its seq was there before · `fork` a second event follows the
 * same one · `chain` it belongs to another chain · `prev-hash` it does not follow the event before it · `hash` it was
 * altered · `checkpoint` a checkpoint signed another hash · `tail` events are missing at the end, which a checkpoint or the head
 * tells of. Only the service can see these: `head` the head has another hash than its event · `beyond` events are stored
 * behind the head.
 */
export type ChainFaultReason =
  'gap' | 'duplicate' | 'fork' | 'chain' | 'prev-hash' | 'hash' | 'checkpoint' | 'tail' | 'head' | 'beyond';

/** The first thing wrong with a chain; `seq` is the first bad one. */
export interface ChainFault {
  readonly seq: number;
  readonly reason: ChainFaultReason;
}

/** What was signed of a chain: its hash at a seq. */
export type Anchor = ChainHead;

/**
 * Checks one chain event by event, in ascending order of seq, in constant memory (but for the anchors it was given).
 * What comes after the first fault is counted and not looked at.
 */
export class ChainVerifier {
  private current: ChainHead;
  private previousPrevHash: string | null = null;
  private found: ChainFault | null = null;
  private count = 0;
  private readonly anchors = new Map<number, string[]>();
  private lastAnchorSeq = 0;

  /**
   * @param chain its name, as `chainName` gives it
   * @param start where to begin: behind the checkpoint that a retention dropped events up to. Default: the beginning.
   * @param anchors what checkpoints, already verified, say of this chain
   */
  constructor(
    private readonly chain: string,
    start: ChainHead = emptyHead(chain),
    anchors: Iterable<Anchor> = [],
  ) {
    this.current = start;
    for (const { seq, hash } of anchors) {
      this.anchors.set(seq, [...(this.anchors.get(seq) ?? []), hash]);
      this.lastAnchorSeq = Math.max(this.lastAnchorSeq, seq);
    }
  }

  /** The last event that is proven good, or where it began. */
  get head(): ChainHead {
    return this.current;
  }

  /** How many events were fed, good or not. */
  get events(): number {
    return this.count;
  }

  /** The first fault, null while there is none. */
  get fault(): ChainFault | null {
    return this.found;
  }

  /** Takes the next event; answers the first fault so far, or null. */
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

  /** To be called after the last event: finds a missing tail, where an anchor tells of it. Answers the first fault, or null. */
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

// an event that was altered so that it has no canonical form any more is an altered event
function hashOrNull(event: LogEvent): string | null {
  try {
    return hashEvent(event);
  } catch {
    return null;
  }
}
