import { Inject } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import type { ChainName } from '#chain';
import { CheckpointsRequested, EVENT_LOG } from '#event-types';
import { Occurrence, UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { ChainSigner } from '../checkpoints/chain-signer.ts';
import { CheckpointKeys } from '../checkpoints/checkpoint-keys.ts';
import type { Checkpoint } from '../checkpoints/checkpoints.ts';
import type { ProofFault } from '../reading/chain-proof.ts';
import { ChainReader } from '../reading/chain-reader.ts';

/** The result of a signing. */
export interface SigningReport {
  /** The number of chains that are now signed up to their ends. */
  readonly signed: number;
  /** The number of chains that were already signed up to their ends. */
  readonly upToDate: number;
  /** The new checkpoints, at most `MAX_ITEMS`. */
  readonly items: readonly Checkpoint[];
  /** Chains that were not signed because they have a fault. */
  readonly faults: readonly (ProofFault & { readonly operationId: string | null })[];
}

/**
 * Signs the current end of each chain, after verifying it from its last checkpoint.
 *
 * @throws DomainError `not-found` for a chain that does not exist, `signing-unavailable`, `store-unavailable`
 */
export class SignCheckpointsCommand extends Command<SigningReport> {
  /**
   * @param context the caller; undefined for the schedule, which records no event
   * @param chain the name of a chain; undefined for all
   */
  constructor(
    readonly context?: CallContext,
    readonly chain?: ChainName,
  ) {
    super();
  }
}

const MAX_ITEMS = 100;

@CommandHandler(SignCheckpointsCommand)
export class SignCheckpointsHandler implements ICommandHandler<SignCheckpointsCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly keys: CheckpointKeys,
    private readonly reader: ChainReader,
    private readonly signer: ChainSigner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async execute({ context, chain }: SignCheckpointsCommand): Promise<SigningReport> {
    if (chain !== undefined && !(await this.reader.exists(chain))) throw DomainError.notFound('operation');
    await this.keys.signer();
    if (context !== undefined) await this.recordRequest(context, chain);
    const report = await this.signAll(chain === undefined ? undefined : [chain]);
    for (const fault of report.faults)
      this.logger.error(fault, 'a chain of the event log has a fault and was not signed');
    // a failed job is kept, counted and listed
    if (context === undefined && report.faults.length > 0) throw new Error('chains of the event log have faults');
    return report;
  }

  private async signAll(chains: readonly ChainName[] | undefined): Promise<SigningReport> {
    let signed = 0;
    let upToDate = 0;
    const items: SigningReport['items'][number][] = [];
    const faults: SigningReport['faults'][number][] = [];
    for (const extent of await this.reader.extents(chains)) {
      const result = await this.signer.sign(extent);
      if ('fault' in result) {
        faults.push({ operationId: extent.operationId, ...result.fault });
        continue;
      }
      signed += 1;
      if (result.checkpoints.length === 0) upToDate += 1;
      items.push(...result.checkpoints.slice(0, MAX_ITEMS - items.length));
    }
    return { signed, upToDate, items, faults };
  }

  /** Recorded first, so that the checkpoint covers it. */
  private recordRequest(context: CallContext, chain: ChainName | undefined): Promise<void> {
    const event = new CheckpointsRequested(EVENT_LOG, { operationId: chain ?? null });
    return this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
