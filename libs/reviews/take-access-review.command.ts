import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { ReadRetry, TextStreams } from '#audit';
import { OperationRepository } from '#catalogue';
import { CredentialSearch } from '#credentials';
import type { CredentialState } from '#credentials';
import { newId } from '#kernel';
import type { CallContext } from '#kernel';
import { bounded } from '#mongo';
import { ReviewSealer } from './review-sealer.ts';
import { reviewHeader, reviewLine, sealLine } from './review-lines.ts';
import type { ReviewFormat, ReviewRow } from './review-lines.ts';

/** Each may have 500 APIs, and a row for each. */
const CREDENTIALS_PER_QUERY = 25;

/** Which credentials a review lists, and how. */
export interface ReviewRequest {
  readonly format: ReviewFormat;
  /** The requested operation. */
  readonly operationId: string | undefined;
  /** The operations that the caller may see; undefined for all. */
  readonly visible: readonly string[] | undefined;
}

/**
 * Lists who may call what, as a file that ends with its seal. The stream fails if it cannot be completed.
 *
 * @throws DomainError `not-found`, `store-unavailable`
 */
export class TakeAccessReviewCommand extends Command<Readable> {
  constructor(
    readonly context: CallContext,
    readonly request: ReviewRequest,
  ) {
    super();
  }
}

@CommandHandler(TakeAccessReviewCommand)
export class TakeAccessReviewHandler implements ICommandHandler<TakeAccessReviewCommand> {
  constructor(
    private readonly operations: OperationRepository,
    private readonly credentials: CredentialSearch,
    private readonly sealer: ReviewSealer,
    private readonly retry: ReadRetry,
    private readonly streams: TextStreams,
  ) {}

  async execute({ context, request }: TakeAccessReviewCommand): Promise<Readable> {
    if (request.operationId !== undefined) await bounded(this.operations.load(request.operationId));
    return this.streams.open(this.text(context, request));
  }

  private async *text(context: CallContext, request: ReviewRequest): AsyncGenerator<string, void, undefined> {
    const { format, operationId = null, visible } = request;
    const digest = createHash('sha256');
    let rows = 0;
    const header = reviewHeader(format);
    digest.update(header);
    if (header !== '') yield header;
    const ids = operationId === null ? visible : [operationId];
    for await (const ofCredential of this.rows(ids)) {
      const text = ofCredential.map((row) => reviewLine(format, row)).join('');
      digest.update(text);
      rows += ofCredential.length;
      yield text;
    }
    const file = { reviewId: newId('rv'), operationId, format, rows, sha256: digest.digest('hex') };
    yield sealLine(format, await this.sealer.seal(context, file));
  }

  /** The rows of one credential at a time, of which there is at least one. */
  private async *rows(operationIds: readonly string[] | undefined): AsyncGenerator<ReviewRow[], void, undefined> {
    for (let after: string | undefined; ;) {
      const found = await this.retry.run(() => this.credentials.page({ operationIds }, after, CREDENTIALS_PER_QUERY));
      const names = await this.namesOf([...new Set(found.map(({ operationId }) => operationId))]);
      for (const state of found) yield rowsOf(state, names.get(state.operationId) ?? '');
      if (found.length < CREDENTIALS_PER_QUERY) return;
      after = found.at(-1)?.id ?? after;
    }
  }

  private async namesOf(ids: readonly string[]): Promise<Map<string, string>> {
    return new Map((await this.retry.run(() => this.operations.findAll(ids))).map(({ id, name }) => [id, name]));
  }
}

function rowsOf(state: CredentialState, operation: string): ReviewRow[] {
  const { operationId, id, name, clientId, owner, contact, allowedIps } = state;
  const row = {
    ...{ operationId, operation, credentialId: id, credential: name, clientId },
    status: state.status === 'active' && state.inherited.suspended ? ('suspended' as const) : state.status,
    ...{ owner, contact, allowedIps },
    expiresAt: state.expiresAt?.toISOString() ?? null,
    lastUsedAt: state.lastUsedAt?.toISOString() ?? null,
    createdAt: state.createdAt.toISOString(),
    lastChangedAt: state.updatedAt.toISOString(),
    lastChangedBy: state.updatedBy,
  };
  const apis = state.apis.length === 0 ? [null] : state.apis;
  return apis.map((api) => ({ ...row, api }));
}
