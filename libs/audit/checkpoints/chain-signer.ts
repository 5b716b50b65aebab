import { Injectable } from '@nestjs/common';
import type { ChainHead, LogEvent } from '#chain';
import { Stopping } from '#events';
import type { Checkpoint } from './checkpoints.ts';
import { ChainProver } from '../reading/chain-proof.ts';
import type { ProofFault } from '../reading/chain-proof.ts';
import { ChainReader } from '../reading/chain-reader.ts';
import type { ChainExtent } from '../reading/chain-reader.ts';
import { ChainFaults } from './chain-faults.ts';
import { CheckpointLog } from './checkpoint-log.ts';

/** Within a long run, one checkpoint after every so many events, so that an interrupted run does not start again. */
const EVENTS_PER_CHECKPOINT = 50_000;

/** The new checkpoints, or the fault because of which nothing was signed. */
export type Signing = { readonly checkpoints: readonly Checkpoint[] } | { readonly fault: ProofFault };

/**
 * Signs chains after verifying all events since the last checkpoint. Without that, the service would confirm a
 * rewritten chain within an hour.
 */
@Injectable()
export class ChainSigner {
  constructor(
    private readonly reader: ChainReader,
    private readonly prover: ChainProver,
    private readonly checkpoints: CheckpointLog,
    private readonly faults: ChainFaults,
    private readonly stopping: Stopping,
  ) {}

  /** Also notes whether the chain has a fault. @throws DomainError `signing-unavailable`, `store-unavailable` */
  async sign(extent: ChainExtent): Promise<Signing> {
    this.stopping.check();
    const result = await this.attempt(extent);
    if ('fault' in result) await this.faults.note(extent.operationId, result.fault);
    else await this.faults.clear(extent.operationId);
    return result;
  }

  private async attempt(extent: ChainExtent): Promise<Signing> {
    const { chain } = extent;
    const last = await this.checkpoints.last(chain);
    if (last !== undefined && (await this.checkpoints.fault(last)) !== null) {
      return { fault: { seq: last.seq, reason: 'checkpoint' } };
    }
    const start = last ?? extent.start;
    // another instance may have signed later events since the extent was read
    const { end } = start.seq > extent.end.seq ? ((await this.reader.extent(chain)) ?? extent) : extent;
    if (start.seq > end.seq) return { fault: { seq: end.seq + 1, reason: 'tail' } };
    if (start.seq === end.seq) {
      return start.hash === end.hash ? { checkpoints: [] } : { fault: { seq: end.seq, reason: 'checkpoint' } };
    }
    return this.signRun(extent, start, end);
  }

  private async signRun({ chain, operationId }: ChainExtent, start: ChainHead, end: ChainHead): Promise<Signing> {
    const made: Checkpoint[] = [];
    let unsigned = 0;
    const fault = await this.prover.proveRun(chain, start, end, async (events: readonly LogEvent[]) => {
      unsigned += events.length;
      const last = events.at(-1);
      if (last === undefined || unsigned < EVENTS_PER_CHECKPOINT) return;
      made.push(await this.checkpoints.sign(operationId, last));
      unsigned = 0;
    });
    if (fault !== null) return { fault };
    if (unsigned > 0) made.push(await this.checkpoints.sign(operationId, end));
    return { checkpoints: made };
  }
}
