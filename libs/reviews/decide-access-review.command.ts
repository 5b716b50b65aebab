import { Command, CommandHandler, Query, QueryHandler } from '@nestjs/cqrs';
import type { ICommandHandler, IQueryHandler } from '@nestjs/cqrs';
import { operationOf } from '#chain';
import type { ChainName } from '#chain';
import { AccessReviewDecided, AccessReviewTaken } from '#event-types';
import { EventLog, Occurrence, UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { bounded } from '#mongo';

export const REVIEW_VERDICTS = ['approved', 'changes-required', 'rejected'] as const;

/** The verdict of a reviewer about the file of an access review. */
export interface ReviewVerdict {
  readonly reviewId: string;
  readonly sha256: string;
  readonly verdict: (typeof REVIEW_VERDICTS)[number];
  readonly comment: string;
}

export interface ReviewView extends ReviewVerdict {
  readonly operationId: string | null;
  readonly reviewer: string;
  readonly at: string;
  readonly version: number;
}

/**
 * Records a verdict in the chain that the review is bound to.
 *
 * @throws DomainError `not-found`, `validation` if the digest is of another file
 */
export class DecideAccessReviewCommand extends Command<ReviewView> {
  /** @param chains the chains that the caller may see; undefined for all */
  constructor(
    readonly context: CallContext,
    readonly verdict: ReviewVerdict,
    readonly chains: readonly ChainName[] | undefined,
  ) {
    super();
  }
}

@CommandHandler(DecideAccessReviewCommand)
export class DecideAccessReviewHandler implements ICommandHandler<DecideAccessReviewCommand> {
  constructor(
    private readonly log: EventLog,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async execute({ context, verdict, chains }: DecideAccessReviewCommand): Promise<ReviewView> {
    const { reviewId, ...data } = verdict;
    const visible = chains === undefined ? {} : { operationId: { $in: chains.map(operationOf) } };
    const filter = { 'subject.id': reviewId, type: AccessReviewTaken.type, ...visible };
    const taken = await bounded(this.log.events.findOne(filter).lean().exec());
    if (taken === null) throw DomainError.notFound('access review');
    if (taken.data['sha256'] !== data.sha256) {
      const message = 'This is the digest of another file. Give the `sha256` of the seal in the last line of the file.';
      throw DomainError.invalid('/sha256', 'other-file', message);
    }
    const { operationId } = taken;
    return this.unitOfWork.run(context, { chains: [operationId] }, (transaction) => {
      transaction.publish(new Occurrence(new AccessReviewDecided({ id: reviewId, operationId }, data)));
      const at = transaction.at.toISOString();
      const view: ReviewView = { ...verdict, operationId, reviewer: context.actor.id, at, version: 1 };
      transaction.remember(view);
      return Promise.resolve(view);
    });
  }
}

/** The answer of a verdict that was recorded before: verdicts do not change. */
export class RepeatVerdictQuery extends Query<{ readonly version: number }> {
  constructor(readonly first: Readonly<Record<string, unknown>>) {
    super();
  }
}

@QueryHandler(RepeatVerdictQuery)
export class RepeatVerdictHandler implements IQueryHandler<RepeatVerdictQuery> {
  execute({ first }: RepeatVerdictQuery): Promise<{ readonly version: number }> {
    return Promise.resolve({ ...first, version: 1 });
  }
}
