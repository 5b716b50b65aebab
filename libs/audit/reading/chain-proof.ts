import { Injectable } from '@nestjs/common';
import { EventsArchived } from '#event-types';
import { ChainVerifier, ChainEnds, Stopping } from '#events';
import type { ChainFaultReason, ChainHead, LogEvent } from '#events';
import type { Checkpoint, CheckpointFault } from '../checkpoints/checkpoints.ts';
import { CheckpointLog } from '../checkpoints/checkpoint-log.ts';
import { ArchivedMeanwhile, ChainReader } from './chain-reader.ts';
import type { ChainExtent } from './chain-reader.ts';

const ARCHIVED = EventsArchived.type;

/** The first thing wrong with a chain. `start`: what is missing at its beginning was not dropped by a retention that can be proven. */
export interface ProofFault {
  readonly seq: number;
  readonly reason: ChainFaultReason | 'start';
}

/** What is known of a chain after it was read from its beginning to its end. */
export interface ChainProof {
  readonly operationId: string | null;
  /** How many events were read; up to the first fault, if there is one. */
  readonly events: number;
  /** Null when there is no event at all. */
  readonly firstSeq: number | null;
  /** The last event that is proven good, and its hash. */
  readonly lastSeq: number;
  readonly hash: string;
  readonly fault: ProofFault | null;
  /** The last checkpoint that proves something. */
  readonly checkpoint: Checkpoint | null;
  readonly checkpointFaults: readonly { readonly id: string; readonly reason: CheckpointFault }[];
}

/** Verifies chains as they are stored, by the rules of docs/event-log-format.md, event by event. */
@Injectable()
export class ChainProver {
  constructor(
    private readonly reader: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly ends: ChainEnds,
    private readonly stopping: Stopping,
  ) {}

  /** Verifies a chain from its beginning to where it ends now. */
  async prove(extent: ChainExtent): Promise<ChainProof> {
    for (let current = extent; ;) {
      try {
        return await this.attempt(current);
      } catch (error) {
        if (!(error instanceof ArchivedMeanwhile)) throw error;
        current = (await this.reader.extent(extent.chain)) ?? extent;
      }
    }
  }

  /**
   * Verifies a run of a chain that begins behind a place known to be good.
   *
   * @param each gets the events that proved good, batch by batch
   * @returns the first fault, or null
   */
  async proveRun(
    chain: string,
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

  private async endFault(chain: string, { seq }: ChainHead): Promise<ProofFault | null> {
    const fault = await this.ends.fault(chain);
    if (fault === null) return null;
    return { reason: fault.reason, seq: fault.reason === 'tail' ? seq + 1 : fault.seq };
  }
}

/** Whoever deletes the end of a chain deletes its head too: what a checkpoint signed is looked for all the same. */
function lastOf(good: readonly Checkpoint[], end: ChainHead): number {
  return Math.max(end.seq, good.at(-1)?.seq ?? 0);
}

/** Looks whether a chain that does not begin at 1 was cut by a retention: its checkpoint must be good, and its event be there. */
class ArchiveWitness {
  private readonly ids: ReadonlySet<string>;
  private told = false;

  constructor(
    private readonly start: ChainHead,
    good: readonly Checkpoint[],
  ) {
    this.ids = new Set(good.filter(({ seq, hash }) => seq === start.seq && hash === start.hash).map(({ id }) => id));
  }

  see({ type, data }: LogEvent): void {
    if (type !== ARCHIVED || data['throughSeq'] !== this.start.seq) return;
    this.told ||= typeof data['checkpointId'] === 'string' && this.ids.has(data['checkpointId']);
  }

  fault(found: ProofFault | null): ProofFault | null {
    if (this.start.seq === 0) return found;
    if (this.ids.size === 0) return { seq: 1, reason: 'start' };
    if (found === null && !this.told) return { seq: 1, reason: 'start' };
    return found;
  }
}
