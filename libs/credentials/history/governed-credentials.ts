import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { OperationRepository } from '#catalogue';
import { CredentialUpdated } from '#event-types';
import { EventLog } from '#events';
import { DomainError } from '#kernel';
import { bounded } from '#mongo';
import type { CredentialState } from '../domain/credential.ts';
import { GovernedCredential } from '../domain/governed-credential.ts';
import type { GoverningOperation } from '../domain/governed-credential.ts';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import { anyVersion } from './any-version.ts';
import { CredentialHistory } from './credential-history.ts';

/** API keys that credentials were granted since a moment, by credential id; `unknown` if the log does not tell. */
export type Grants = ReadonlyMap<string, ReadonlySet<string> | 'unknown'>;

interface ApiChange {
  readonly before?: { readonly apis?: readonly string[] };
  readonly after?: { readonly apis?: readonly string[] };
  /** In events of version 0.1.0, which do not contain the values before. */
  readonly changed?: { readonly apis?: readonly string[] };
}

/** Credentials with the rules of their operations, and when they were granted their APIs. */
@Injectable()
export class GovernedCredentials {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly operations: OperationRepository,
    private readonly history: CredentialHistory,
    private readonly log: EventLog,
  ) {}

  /** The credentials of these operations, by id: at most ten each. */
  async ofOperations(
    operations: readonly GoverningOperation[],
    session: ClientSession | null = null,
  ): Promise<GovernedCredential[]> {
    const byId = new Map(operations.map((operation) => [operation.id, operation]));
    const credentials = await this.credentials.ofOperations([...byId.keys()], session);
    return governed(
      credentials.map(({ state }) => state),
      byId,
    );
  }

  /** @param session of a transaction; null for none */
  async ofOperationIds(ids: readonly string[], session: ClientSession | null): Promise<GovernedCredential[]> {
    return this.ofOperations(await this.operations.findAll(ids, session), session);
  }

  /** Adds the operations to credentials. */
  async govern(states: readonly CredentialState[]): Promise<GovernedCredential[]> {
    const operations = await this.operations.findAll([...new Set(states.map(({ operationId }) => operationId))]);
    return governed(states, new Map(operations.map((operation) => [operation.id, operation])));
  }

  /** Needs the event log only for credentials that were changed since. */
  async grantedSince(states: readonly CredentialState[], since: Date): Promise<Grants> {
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

function governed(
  states: readonly CredentialState[],
  operations: ReadonlyMap<string, GoverningOperation>,
): GovernedCredential[] {
  return states.flatMap((state) => {
    const operation = operations.get(state.operationId);
    return operation === undefined ? [] : [new GovernedCredential(state, operation)];
  });
}

function added({ before, after, changed }: ApiChange): string[] {
  const old = new Set(before?.apis);
  return (after?.apis ?? changed?.apis ?? []).filter((api) => !old.has(api));
}
