import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { ApiRepository } from '#catalogue';
import type { CredentialState } from '#credentials';
import { ApiCreated, ApiDeleted } from '#event-types';
import { EventLog } from '#events';
import { Clock, DomainError } from '#kernel';
import { bounded } from '#mongo';
import { ApiHolders } from './api-holders.ts';
import type { VisibleOperations, Window } from './api-holders.ts';
import { CredentialHistory } from './credential-history.ts';
import type { PastCredential } from './credential-history.ts';

/** Credentials that are rebuilt in one step. */
const BATCH = 100;

/** A credential that may call the API, or could at the moment that was asked about. */
export interface ApiCredentialView {
  readonly id: string;
  readonly operationId: string;
  readonly name: string | null;
  readonly clientId: string | null;
  readonly owner: string | null;
  readonly contact: string | null;
  readonly allowedIps: readonly string[] | null;
  readonly expiresAt: string | null;
  /** When it was deleted since that moment. */
  readonly deletedAt: string | null;
  /** False: the events that would tell are archived, so it may or may not have been able to. */
  readonly certain: boolean;
}

/** A page of the credentials that may call an API, now or at a moment. */
export class ListApiCredentialsQuery extends Query<ApiCredentialView[]> {
  constructor(
    readonly apiKey: string,
    readonly visible: VisibleOperations,
    /** undefined for now */
    readonly at: Date | undefined,
    readonly window: Window,
  ) {
    super();
  }
}

@QueryHandler(ListApiCredentialsQuery)
export class ListApiCredentialsHandler implements IQueryHandler<ListApiCredentialsQuery> {
  constructor(
    private readonly apis: ApiRepository,
    private readonly holders: ApiHolders,
    private readonly history: CredentialHistory,
    private readonly log: EventLog,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `not-found`, `validation`, `before-retention` */
  async execute({ apiKey, visible, at, window }: ListApiCredentialsQuery): Promise<ApiCredentialView[]> {
    if (at === undefined) {
      await bounded(this.apis.load(apiKey));
      return (await this.holders.now(apiKey, visible, this.clock.now(), window)).map(viewOf);
    }
    if (at > this.clock.now()) {
      throw DomainError.invalid('/query/at', 'in-the-future', 'Give a moment in the past, or leave it out for now.');
    }
    await this.requireKnown(apiKey);
    await this.history.requireRetained(at, visible);
    return this.past(apiKey, visible, at, window);
  }

  private async past(
    apiKey: string,
    visible: VisibleOperations,
    at: Date,
    { after, limit }: Window,
  ): Promise<ApiCredentialView[]> {
    const found: ApiCredentialView[] = [];
    for (let last = after; ;) {
      const ids = await this.holders.candidates(apiKey, visible, at, { after: last, limit: BATCH });
      const past = await this.history.at(at, ids);
      found.push(...past.flatMap((one) => pastView(one, apiKey, at)));
      if (found.length >= limit || ids.length < BATCH) return found.slice(0, limit);
      last = ids.at(-1);
    }
  }

  /** It may have been deleted since. */
  private async requireKnown(apiKey: string): Promise<void> {
    try {
      await bounded(this.apis.load(apiKey));
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'not-found')) throw error;
      const type = { $in: [ApiCreated.type, ApiDeleted.type] };
      const wasThere = this.log.events.exists({ 'subject.id': apiKey, type }).exec();
      if ((await bounded(wasThere)) === null) throw error;
    }
  }
}

function viewOf({ id, operationId, name, clientId, owner, contact, allowedIps, expiresAt }: CredentialState) {
  return {
    ...{ id, operationId, name, clientId, owner, contact, allowedIps },
    ...{ expiresAt: expiresAt?.toISOString() ?? null, deletedAt: null, certain: true },
  } satisfies ApiCredentialView;
}

/** Empty when it could not call the API then. */
function pastView({ id, operationId, credential, operation }: PastCredential, apiKey: string, at: Date) {
  const of = (name: string): unknown => credential.valueOf(name)?.value;
  const apis = of('apis') as readonly string[] | undefined;
  const end = of('expiresAt') as Date | string | null | undefined;
  const expiresAt = end == null ? null : new Date(end);
  const couldNot =
    apis?.includes(apiKey) === false ||
    of('status') === 'disabled' ||
    operation.valueOf('status')?.value === 'suspended' ||
    (expiresAt !== null && expiresAt <= at);
  if (couldNot) return [];
  const view: ApiCredentialView = {
    ...{ id, operationId },
    name: (of('name') ?? credential.ofDeletion('name') ?? null) as string | null,
    clientId: (of('clientId') ?? credential.ofDeletion('clientId') ?? null) as string | null,
    owner: (of('owner') ?? null) as string | null,
    contact: (of('contact') ?? null) as string | null,
    allowedIps: (of('allowedIps') ?? null) as readonly string[] | null,
    expiresAt: expiresAt?.toISOString() ?? null,
    deletedAt: credential.deletedAt?.toISOString() ?? null,
    certain: apis !== undefined && of('status') !== undefined,
  };
  return [view];
}
