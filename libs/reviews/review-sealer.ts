import { Injectable } from '@nestjs/common';
import { ChainSigner, CheckpointLog, ChainReader } from '#audit';
import type { Checkpoint, ExportFormat } from '#audit';
import { chainName, emptyHead } from '#chain';
import type { LogEvent } from '#chain';
import { AccessReviewTaken } from '#event-types';
import { UnitOfWork } from '#events';
import { Clock, DomainError } from '#kernel';
import type { CallContext } from '#kernel';

/** What a review is about, and what its file contains. */
export interface ReviewFile {
  readonly reviewId: string;
  readonly operationId: string | null;
  readonly format: ExportFormat;
  readonly rows: number;
  /** SHA-256 of the file up to the seal, lower-case hexadecimal. */
  readonly sha256: string;
}

/** Proves a file: an event that names its digest, and a checkpoint that signs the chain at exactly this event. */
export interface ReviewSeal {
  readonly event: LogEvent;
  readonly checkpoint: Checkpoint;
}

/** Binds the file of an access review to the event log. */
@Injectable()
export class ReviewSealer {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly reader: ChainReader,
    private readonly signer: ChainSigner,
    private readonly checkpoints: CheckpointLog,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `log-inconsistent` if the chain has a fault, `signing-unavailable`, `store-unavailable` */
  async seal(context: CallContext, { reviewId, operationId, ...data }: ReviewFile): Promise<ReviewSeal> {
    const event = new AccessReviewTaken({ id: reviewId, operationId }, { operationId, ...data });
    const chain = chainName(operationId);
    const { ends } = await this.unitOfWork.runBatch({ chains: [operationId] }, () =>
      Promise.resolve({ value: undefined, pending: [{ event, context, at: this.clock.now() }] }),
    );
    const end = ends.get(chain);
    if (end === undefined) throw new Error('the event of the review has no place in its chain');
    const [logged] = (await this.reader.read({ chain, after: end.seq - 1, through: end.seq }).next()).value ?? [];
    const extent = (await this.reader.extent(chain)) ?? { chain, operationId, start: emptyHead(chain), archive: null };
    // signing verifies the chain first
    const signing = await this.signer.sign({ ...extent, end });
    if (logged === undefined || 'fault' in signing) throw inconsistent();
    const { hash, seq } = logged;
    return { event: logged, checkpoint: await this.checkpoints.sign(operationId, { seq, hash }) };
  }
}

function inconsistent(): DomainError {
  return new DomainError('log-inconsistent', 'The chain of the event log has a fault. Run GET /v1/events/verify.');
}
