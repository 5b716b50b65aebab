import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '#events';
import { isStoreUnavailable } from '#mongo';
import { prepareIssue } from './issue-batch.ts';
import type { IssueOutcome, IssueRequest } from './issue-batch.ts';
import { IssueLane } from './issue-lane.ts';
import type { WaitingIssue } from './issue-lane.ts';
import { IssueWriter } from './issue-writer.ts';

/**
 * Issues tokens by group commit: requests that arrive during a transaction share the next one. A token and its event
 * are majority-committed before the token is sent.
 *
 * All operations share one lane. If the chain of an operation is in use by another writer, its requests move to a lane
 * of their own, so that only this operation waits.
 */
@Injectable()
export class TokenIssuer {
  private readonly common = new IssueLane((batch) => this.commitOrDivert(batch));
  private readonly ownLanes = new Map<string, IssueLane>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly writer: IssueWriter,
  ) {}

  /**
   * @returns the token; or `stale` if the credential was changed since it was read, and the request has to be evaluated
   * again
   * @throws TokenLimitReached; DomainError `store-unavailable`
   */
  issue(request: IssueRequest): Promise<IssueOutcome> {
    return new Promise((resolve, reject) => this.common.add({ issue: prepareIssue(request), resolve, reject }));
  }

  private async commitOrDivert(batch: readonly WaitingIssue[]): Promise<void> {
    const isBusy = ({ issue }: WaitingIssue): boolean => this.unitOfWork.isBusy(issue.request.credential.operationId);
    const together = batch.filter((waiting) => !isBusy(waiting));
    for (const waiting of batch.filter(isBusy)) this.divert(waiting);
    try {
      if (together.length > 0) await this.commit(together, true);
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error;
      for (const waiting of together) this.divert(waiting);
    }
  }

  private divert(waiting: WaitingIssue): void {
    const { operationId } = waiting.issue.request.credential;
    let lane = this.ownLanes.get(operationId);
    if (lane === undefined) {
      lane = new IssueLane(
        (batch) => this.commit(batch, false),
        () => this.ownLanes.delete(operationId),
      );
      this.ownLanes.set(operationId, lane);
    }
    lane.add(waiting);
  }

  private async commit(batch: readonly WaitingIssue[], tryOnce: boolean): Promise<void> {
    const issues = batch.map(({ issue }) => issue);
    const chains = issues.map(({ request }) => request.credential.operationId);
    // a token committed after its caller got an error would belong to nobody
    const limitMs = Math.min(...issues.map(({ request }) => request.deadlineAtMs)) - performance.now();
    const options = { chains, limitMs, tryOnce };
    const { value: written, ends } = await this.unitOfWork.runBatch(options, async (session, endsBefore) => {
      const value = await this.writer.settle(issues, session, endsBefore);
      return { value, pending: value.settled.events, write: () => this.writer.write(value, session) };
    });
    this.writer.learn(issues, written, ends);
    const { outcomes } = written.settled;
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) reject(new Error('an issue without an outcome'));
      else if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
  }
}
