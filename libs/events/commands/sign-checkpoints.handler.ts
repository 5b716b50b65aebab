import { Inject } from '@nestjs/common';
import { CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { DomainError, DomainEvent } from '#kernel';
import type { CallContext } from '#kernel';
import { LOGGER } from '#observability';
import type { Logger } from '#observability';
import { CheckpointKeys } from '../checkpoints/checkpoint-keys.ts';
import { ChainSigner } from '../checkpoints/chain-signer.ts';
import { Occurrence } from '../occurrence.ts';
import { ChainReader } from '../reading/chain-reader.ts';
import { UnitOfWork } from '../unit-of-work.ts';
import { SignCheckpointsCommand } from './sign-checkpoints.command.ts';
import type { SigningReport } from './sign-checkpoints.command.ts';

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
    if (context !== undefined) await this.tell(context, chain);
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
  private tell(context: CallContext, chain: string | undefined): Promise<void> {
    const subject = { type: 'service', id: 'events' };
    const event = new DomainEvent('checkpoints.requested.v1', null, subject, { operationId: chain ?? null });
    return this.unitOfWork.run(context, { chains: [null] }, (transaction) => {
      transaction.publish(new Occurrence(event));
      return Promise.resolve();
    });
  }
}
