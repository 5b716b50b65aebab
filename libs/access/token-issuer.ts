import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { CredentialReader, CredentialRepository } from '#credentials';
import type { CredentialUse } from '#credentials';
import { UnitOfWork } from '#events';
import type { PendingEvent } from '#events';
import { Clock } from '#kernel';
import { isStoreUnavailable, storeUnavailable } from '#mongo';
import { TokenRepository } from '#tokens';
import type { TokenPlace } from '#tokens';
import { prepareIssue, settleBatch } from './issue-batch.ts';
import type { IssueOutcome, IssueRequest, PreparedIssue } from './issue-batch.ts';

/** Requests of one transaction at most. */
const LARGEST_BATCH = 200;

interface Waiting {
  readonly issue: PreparedIssue;
  readonly resolve: (outcome: IssueOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Issues tokens by group commit: what arrives while one transaction is under way goes together into the next. A token and its
 * event are committed by a majority before anyone sees the token.
 */
@Injectable()
export class TokenIssuer {
  private waiting: Waiting[] = [];
  private underWay = false;
  private scheduled = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: TokenRepository,
    private readonly credentials: CredentialRepository,
    private readonly reader: CredentialReader,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the token; or `stale` when the credential was changed since it was read, and the request has to be judged anew
   * @throws TokenLimitReached; DomainError `store-unavailable`
   */
  issue(request: IssueRequest): Promise<IssueOutcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ issue: prepareIssue(request), resolve, reject });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.underWay || this.scheduled || this.waiting.length === 0) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.flush();
    });
  }

  private async flush(): Promise<void> {
    const batch = this.nextBatch();
    if (batch.length === 0) {
      this.schedule();
      return;
    }
    this.underWay = true;
    try {
      await this.commit(batch);
    } catch (error) {
      await this.oneByOne(batch, error);
    } finally {
      this.underWay = false;
      this.schedule();
    }
  }

  /** Those who waited too long already, behind a store that is slow, are not tried at all. */
  private nextBatch(): Waiting[] {
    const nowMs = performance.now();
    return this.waiting.splice(0, LARGEST_BATCH).filter(({ issue, reject }) => {
      const isInTime = nowMs < issue.request.deadlineAtMs;
      if (!isInTime) reject(storeUnavailable());
      return isInTime;
    });
  }

  /** One bad request must not spoil the batch. */
  private async oneByOne(batch: readonly Waiting[], error: unknown): Promise<void> {
    if (batch.length === 1 || isStoreUnavailable(error)) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const single of batch) await this.commit([single]).catch((own: unknown) => single.reject(own));
  }

  private async commit(batch: readonly Waiting[]): Promise<void> {
    const issues = batch.map(({ issue }) => issue);
    const chains = issues.map(({ request }) => request.credential.operationId);
    // what is committed after its caller was told otherwise would be a token that no one has
    const limitMs = Math.min(...issues.map(({ request }) => request.deadlineAtMs)) - performance.now();
    const outcomes = await this.unitOfWork.runBatch({ chains, limitMs }, (session) => this.write(issues, session));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) reject(new Error('an issue without an outcome'));
      else if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
  }

  private async write(
    issues: readonly PreparedIssue[],
    session: ClientSession,
  ): Promise<{ value: readonly (IssueOutcome | Error)[]; pending: readonly PendingEvent[] }> {
    const now = this.clock.now();
    const stale = await this.credentials.touch(uses(issues), now, session);
    for (const clientId of stale) this.reader.forget(clientId);
    const fresh = issues.filter(({ request }) => !stale.has(request.credential.clientId));
    const places = await this.placesOf(fresh, session);
    const settled = settleBatch(issues, stale, places, now);
    await this.tokens.delete(settled.replaced, session);
    if (settled.tokens.length > 0) await this.tokens.insert(settled.tokens, session);
    return { value: settled.outcomes, pending: settled.events };
  }

  private async placesOf(issues: readonly PreparedIssue[], session: ClientSession): Promise<TokenPlace[]> {
    const ids = [...new Set(issues.map(({ request }) => request.credential.id))];
    return ids.length === 0 ? [] : this.tokens.places(ids, session);
  }
}

/** One use a secret: of which credential, and the version that the decision rests on. */
function uses(issues: readonly PreparedIssue[]): CredentialUse[] {
  const bySecret = new Map(
    issues.map(({ request: { credential, secretId } }) => [
      secretId,
      { id: credential.id, clientId: credential.clientId, version: credential.version, secretId },
    ]),
  );
  return [...bySecret.values()];
}
