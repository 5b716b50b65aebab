import { Injectable } from '@nestjs/common';
import type { CredentialState } from '#credentials';
import { CredentialUpdated, anyVersion } from '#event-types';
import { EventLog } from '#events';
import { DomainError } from '#kernel';
import { bounded } from '#mongo';
import { CredentialHistory } from './credential-history.ts';

/** API keys that credentials were granted since a moment, by credential id; `unknown` if the log does not tell. */
export type Grants = ReadonlyMap<string, ReadonlySet<string> | 'unknown'>;

interface ApiChange {
  readonly before?: { readonly apis?: readonly string[] };
  readonly after?: { readonly apis?: readonly string[] };
  /** In events of version 0.1.0, which do not contain the values before. */
  readonly changed?: { readonly apis?: readonly string[] };
}

/** When credentials were granted their APIs. */
@Injectable()
export class ApiGrants {
  constructor(
    private readonly history: CredentialHistory,
    private readonly log: EventLog,
  ) {}

  /** What credentials were granted since a moment. Needs the event log only for those that were changed since. */
  async since(since: Date, states: readonly CredentialState[]): Promise<Grants> {
    const changed = states.filter(({ updatedAt }) => updatedAt > since);
    if (changed.length === 0) return new Map();
    const ids = changed.map(({ id }) => id);
    if (!(await this.isRetained(since, [...new Set(changed.map(({ operationId }) => operationId))]))) {
      return new Map(ids.map((id) => [id, 'unknown']));
    }
    const found = this.log.events
      .find(
        {
          'subject.id': { $in: ids },
          type: anyVersion(CredentialUpdated),
          at: { $gt: since },
          $or: [{ 'data.after.apis': { $exists: true } }, { 'data.changed.apis': { $exists: true } }],
        },
        { subject: 1, 'data.before.apis': 1, 'data.after.apis': 1, 'data.changed.apis': 1 },
      )
      .lean<readonly { readonly subject: { readonly id: string }; readonly data: ApiChange }[]>();
    const grants = new Map<string, Set<string>>();
    for (const { subject, data } of await bounded(found.exec())) {
      const granted = grants.get(subject.id) ?? new Set<string>();
      grants.set(subject.id, granted);
      for (const api of added(data)) granted.add(api);
    }
    return grants;
  }

  private async isRetained(since: Date, operationIds: readonly string[]): Promise<boolean> {
    try {
      await this.history.requireRetained(since, operationIds);
      return true;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'before-retention') return false;
      throw error;
    }
  }
}

function added({ before, after, changed }: ApiChange): string[] {
  const old = new Set(before?.apis);
  return (after?.apis ?? changed?.apis ?? []).filter((api) => !old.has(api));
}
