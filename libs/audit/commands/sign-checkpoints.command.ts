import { Inject } from '@nestjs/common';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
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

/** What became of the chains that were to be signed. */
export interface SigningReport {
  /** How many chains are signed up to their ends now. */
  readonly signed: number;
  /** How many of those had been before. */
  readonly upToDate: number;
  /** The new checkpoints; the first hundred, if there are more. */
  readonly items: readonly Checkpoint[];
  /** Chains that were not signed, since they are not whole. */
  readonly faults: readonly (ProofFault & { readonly operationId: string | null })[];
}

/**
 * Signs chains as they stand, each after it was verified from its last checkpoint on.
 *
 * @throws DomainError `not-found` for a chain that does not exist, `signing-unavailable`, `store-unavailable`
 */
export class SignCheckpointsCommand extends Command<SigningReport> {
  /**
   * @param context who asks; left out by the schedule, which tells no event
   * @param chain its name; all chains when left out
   */
  constructor(
    readonly context?: CallContext,
    readonly chain?: string,
  ) {
    super();
  }
}

const ITEMS_TOLD = 100;

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
      this.logger.error(fault, 'a chain of the event log is not whole, and was not signed');
    // a job that fails is kept, counted and shown
    if (context === undefined && report.faults.length > 0) throw new Error('chains of the event log are not whole');
    return report;
  }

  private async signAll(chains: readonly string[] | undefined): Promise<SigningReport> {
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
      items.push(...result.checkpoints.slice(0, ITEMS_TOLD - items.length));
    }
    return { signed, upToDate, items, faults };
  }

  /** First, so that what is signed includes it. */
  private recordRequest(context: CallContext, chain: string | undefined): Promise<void> {
    const event = new CheckpointsRequested(EVENT_LOG, { operationId: chain ?? null });
    return this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
