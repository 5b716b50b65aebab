// One chain: steps 3 and 4 of "Verifying" in docs/event-log-format.md.
import { createHash } from 'node:crypto';
import { isSeq } from './shapes.ts';
import type { ChainedEvent, Checkpoint } from './shapes.ts';

export type ChainCode =
  | 'not-canonical'
  | 'not-an-event'
  | 'gap'
  | 'fork'
  | 'duplicate'
  | 'prev-hash'
  | 'hash'
  | 'checkpoint'
  | 'tail'
  | 'start';

/** The first fault of a chain; `seq` is the first bad one. */
export interface ChainFault {
  readonly seq: number;
  readonly code: ChainCode;
}

export interface ChainReport {
  readonly chain: string;
  /** How many events of it were read, good or not. */
  readonly events: number;
  /** Seqs of the first event (null if unreadable), the last good one, and the last one confirmed by a checkpoint. */
  readonly first: number | null;
  readonly last: number | null;
  readonly signed: number | null;
  readonly fault: ChainFault | null;
}

const ARCHIVED = 'events.archived.v1';

/** Verifies one chain event by event; keeps only the last good event's position. */
export class Chain {
  readonly name: string;
  private readonly checkpoints = new Map<number, Checkpoint[]>();
  private lastSigned = 0;
  private events = 0;
  private first: number | null = null;
  private head: Pick<ChainedEvent, 'seq' | 'prevHash' | 'hash'> | null = null;
  private signed: number | null = null;
  private fault: ChainFault | null = null;
  private archivedBefore = 0;
  private startIsArchived = false;

  /** @param checkpoints the good ones of this chain */
  constructor(name: string, checkpoints: readonly Checkpoint[]) {
    this.name = name;
    for (const checkpoint of checkpoints) {
      this.checkpoints.set(checkpoint.seq, [...(this.checkpoints.get(checkpoint.seq) ?? []), checkpoint]);
      this.lastSigned = Math.max(this.lastSigned, checkpoint.seq);
    }
  }

  /** A line of this chain that is not canonical, or not an event. */
  addFaulty(seq: number, code: 'not-canonical' | 'not-an-event'): void {
    this.events += 1;
    const expected = this.head === null ? seq : this.head.seq + 1;
    this.fault ??= { seq: Math.min(seq, expected), code };
  }

  /** @param computedHash what the event's hash should be */
  add(event: ChainedEvent, computedHash: string): void {
    this.events += 1;
    if (this.fault !== null) return;
    this.first ??= event.seq;
    this.fault = this.check(event, computedHash);
    if (this.fault !== null) return;
    this.head = { seq: event.seq, prevHash: event.prevHash, hash: event.hash };
    if (this.checkpoints.has(event.seq)) this.signed = event.seq;
    if (event.type === ARCHIVED) this.noteRetention(event);
  }

  /**
   * To be called once, after the last event.
   * @param partial whether the chain may begin and end anywhere
   */
  report(partial: boolean): ChainReport {
    const fault = partial ? this.fault : this.faultAtEnd();
    const { name: chain, events, first, head, signed } = this;
    return { chain, events, first, last: head?.seq ?? null, signed, fault };
  }

  private check({ seq, prevHash, hash }: ChainedEvent, computedHash: string): ChainFault | null {
    const { head } = this;
    if (head !== null && seq > head.seq + 1) return { seq: head.seq + 1, code: 'gap' };
    if (head !== null && seq <= head.seq) {
      const forked = seq === head.seq && prevHash === head.prevHash && hash !== head.hash;
      return { seq, code: forked ? 'fork' : 'duplicate' };
    }
    if (!this.hashesBefore(seq).every((expected) => expected === prevHash)) return { seq, code: 'prev-hash' };
    if (hash !== computedHash) return { seq, code: 'hash' };
    const signed = this.checkpoints.get(seq) ?? [];
    return signed.every((checkpoint) => checkpoint.hash === hash) ? null : { seq, code: 'checkpoint' };
  }

  /** The accepted values of prevHash for the next event, `seq`. */
  private hashesBefore(seq: number): string[] {
    if (this.head !== null) return [this.head.hash];
    if (seq > 1) return (this.checkpoints.get(seq - 1) ?? []).map(({ hash }) => hash);
    return [createHash('sha256').update(Buffer.of(0x02)).update(this.name).digest('hex')];
  }

  private noteRetention({ data: { throughSeq, checkpointId } }: ChainedEvent): void {
    const before = (this.first ?? 1) - 1;
    if (!isSeq(throughSeq)) return;
    if (throughSeq < before) this.archivedBefore = throughSeq;
    const signed = this.checkpoints.get(before) ?? [];
    if (throughSeq === before && signed.some(({ id }) => id === checkpointId)) this.startIsArchived = true;
  }

  private faultAtEnd(): ChainFault | null {
    const start: ChainFault | null =
      this.first !== null && this.first > 1 ? { seq: this.archivedBefore + 1, code: 'start' } : null;
    if (start !== null && !this.checkpoints.has((this.first ?? 1) - 1)) return start;
    if (this.fault !== null) return this.fault;
    const last = this.head?.seq ?? 0;
    if (this.lastSigned > last || this.events === 0) return { seq: last + 1, code: 'tail' };
    return this.startIsArchived ? null : start;
  }
}
