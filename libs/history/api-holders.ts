import { Injectable } from '@nestjs/common';
import { CredentialSearch } from '#credentials';
import type { CredentialState } from '#credentials';
import { CredentialDeleted, CredentialUpdated, anyVersion } from '#event-types';
import { EventLog } from '#events';
import { bounded } from '#mongo';

/** Credentials of which operations: undefined for all. */
export type VisibleOperations = readonly string[] | undefined;

/** What of a list comes next. */
export interface Window {
  /** Id of the last one of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** Finds credentials that may call an API, or may have been able to, in the order of their ids. */
@Injectable()
export class ApiHolders {
  constructor(
    private readonly credentials: CredentialSearch,
    private readonly log: EventLog,
  ) {}

  /** Those that may call the API now. */
  async now(
    apiKey: string,
    visible: VisibleOperations,
    now: Date,
    { after, limit }: Window,
  ): Promise<CredentialState[]> {
    const criteria = { api: apiKey, operationIds: visible, usableAt: now };
    return bounded(this.credentials.page(criteria, after, limit));
  }

  /**
   * Ids of all that may have been able to call the API at a moment: those that can now, those that lost it since, and
   * those that were deleted since. A list that is shorter than the limit is the end.
   */
  async candidates(apiKey: string, visible: VisibleOperations, moment: Date, window: Window): Promise<string[]> {
    const since = { at: { $gt: moment }, ...within(visible) };
    const lists = await Promise.all([
      this.idsOfHolders(apiKey, visible, window),
      this.idsInEvents({ type: CredentialUpdated.type, ...since, 'data.before.apis': apiKey }, window),
      // events of version 0.1.0 do not contain the values before
      this.idsInEvents(
        { type: anyVersion(CredentialUpdated), ...since, 'data.changed.apis': { $exists: true } },
        window,
      ),
      this.idsInEvents({ type: CredentialDeleted.type, ...since }, window),
    ]);
    return [...new Set(lists.flat())].sort().slice(0, window.limit);
  }

  private async idsOfHolders(apiKey: string, visible: VisibleOperations, { after, limit }: Window): Promise<string[]> {
    const criteria = { api: apiKey, operationIds: visible };
    return (await bounded(this.credentials.page(criteria, after, limit))).map(({ id }) => id);
  }

  private async idsInEvents(filter: object, { after, limit }: Window): Promise<string[]> {
    const found = this.log.events.aggregate<{ _id: string }>([
      { $match: { ...filter, ...(after === undefined ? {} : { 'subject.id': { $gt: after } }) } },
      { $group: { _id: '$subject.id' } },
      { $sort: { _id: 1 } },
      { $limit: limit },
    ]);
    return (await bounded(found.exec())).map(({ _id }) => _id);
  }
}

function within(visible: VisibleOperations): { operationId?: { $in: string[] } } {
  return visible === undefined ? {} : { operationId: { $in: [...visible] } };
}
