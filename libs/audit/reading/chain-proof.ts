import { Injectable } from '@nestjs/common';
import { ChainVerifier } from '#chain';
import type { ChainFaultReason, ChainHead, ChainName, LogEvent } from '#chain';
import { EventsArchived } from '#event-types';
import { ChainEnds, Stopping } from '#events';
import type { Checkpoint, CheckpointFault } from '../checkpoints/checkpoints.ts';
import { CheckpointLog } from '../checkpoints/checkpoint-log.ts';
import { ChainArchived, ChainReader } from './chain-reader.ts';
import type { ChainExtent } from './chain-reader.ts';

const ARCHIVED = EventsArchived.type;

/** The first fault of a chain. `start`: events are missing at the beginning, and no proven retention explains it. */
export interface ProofFault {
  readonly seq: number;
  readonly reason: ChainFaultReason | 'start';
}

/** The result of verifying one chain. */
export interface ChainProof {
  readonly operationId: string | null;
  /** The number of events read, up to the first fault. */
  readonly events: number;
  /** Null if there is no event. */
  readonly firstSeq: number | null;
  /** The last event that is proven correct, and its hash. */
  readonly lastSeq: number;
  readonly hash: string;
  readonly fault: ProofFault | null;
  /** The last valid checkpoint. */
  readonly checkpoint: Checkpoint | null;
  readonly checkpointFaults: readonly { readonly id: string; readonly reason: CheckpointFault }[];
}

/** Verifies stored chains event by event, by the rules of docs/event-log-format.md. */
@Injectable()
export class ChainProver {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly ends: ChainEnds,
    private readonly stopping: Stopping,
  ) {}

  /** Verifies a whole chain. */
  async prove(extent: ChainExtent): Promise<ChainProof> {
    for (let current = extent; ;) {
      try {
        return await this.attempt(current);
      } catch (error) {
        if (!(error instanceof ChainArchived)) throw error;
        current = (await this.reader.extent(extent.chain)) ?? extent;
      }
    }
  }

  /**
   * Verifies the events after a position that is known to be correct.
   *
   * @param each receives the verified events in batches
   * @returns the first fault, or null
   */
  async proveRun(
    chain: ChainName,
    start: ChainHead,
    end: ChainHead,
    each: (events: readonly LogEvent[]) => Promise<void> = () => Promise.resolve(),
  ): Promise<ProofFault | null> {
    const verifier = new ChainVerifier(chain, start, [end]);
    for await (const events of this.reader.read({ chain, after: start.seq, through: end.seq })) {
      this.stopping.check();
      for (const event of events) verifier.add(event);
      if (verifier.fault !== null) break;
      await each(events);
    }
    return verifier.end();
  }

  private async attempt(extent: ChainExtent): Promise<ChainProof> {
    const { chain, operationId, start, end } = extent;
    const { good, faults } = await this.checkpoints.checked(chain, start.seq);
    const verifier = new ChainVerifier(chain, start, good);
    const archive = new ArchiveWitness(start, good);
    let firstSeq: number | undefined;
    for await (const events of this.reader.read({ chain, after: start.seq, through: lastOf(good, end) })) {
      this.stopping.check();
      firstSeq ??= events[0]?.seq;
      for (const event of events) {
        if (verifier.add(event) === null) archive.see(event);
      }
      if (verifier.fault !== null) break;
    }
    const fault = archive.fault(verifier.end() ?? (await this.endFault(chain, verifier.head)));
    const { seq, hash } = verifier.head;
    return {
      operationId,
      events: verifier.events,
      firstSeq: firstSeq ?? null,
      lastSeq: seq,
      hash,
      fault,
      checkpoint: good.at(-1) ?? null,
      checkpointFaults: faults,
    };
  }

  private async endFault(chain: ChainName, { seq }: ChainHead): Promise<ProofFault | null> {
    const fault = await this.ends.findFault(chain);
    if (fault === null) return null;
    return { reason: fault.reason, seq: fault.reason === 'tail' ? seq + 1 : fault.seq };
  }
}

/**
 * Reads up to the last checkpoint even if the head is earlier: an attacker could delete the end together with the head.
 */
function lastOf(good: readonly Checkpoint[], end: ChainHead): number {
  return Math.max(end.seq, good.at(-1)?.seq ?? 0);
}

/** Proves that a retention removed the beginning of a chain: its checkpoint must be valid and its event must exist. */
class ArchiveWitness {
  private readonly ids: ReadonlySet<string>;
  private hasEvent = false;

  constructor(
    private readonly start: ChainHead,
    good: readonly Checkpoint[],
  ) {
    this.ids = new Set(good.filter(({ seq, hash }) => seq === start.seq && hash === start.hash).map(({ id }) => id));
  }

  see({ type, data }: LogEvent): void {
    if (type !== ARCHIVED || data['throughSeq'] !== this.start.seq) return;
    this.hasEvent ||= typeof data['checkpointId'] === 'string' && this.ids.has(data['checkpointId']);
  }

  fault(found: ProofFault | null): ProofFault | null {
    if (this.start.seq === 0) return found;
    if (this.ids.size === 0) return { seq: 1, reason: 'start' };
    if (found === null && !this.hasEvent) return { seq: 1, reason: 'start' };
    return found;
  }
}
