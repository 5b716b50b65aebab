import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { ApiRepository, OperationRepository } from '#catalogue';
import { Clock, DomainError, faultsOf } from '#kernel';
import type { FieldFault, OperationRules } from '#kernel';
import { bounded } from '#mongo';
import { Credential } from '../domain/credential.ts';
import type { CredentialChanges } from '../domain/credential-changes.ts';
import { checkEntitlement } from '../domain/entitlement.ts';

/** Lists of API keys of a request, by member; null for an entry that is no key. */
export type ApiKeyLists = Readonly<Record<string, readonly (string | null)[]>>;

/**
 * What catalogue, clock and operation would find wrong with a request that is refused anyway, so that it is told with
 * the rest. `changes` holds the members that are valid by themselves.
 */
export class FindCredentialFaultsQuery extends Query<FieldFault[]> {
  constructor(
    readonly operationId: string,
    readonly keys: ApiKeyLists,
    readonly changes: Pick<CredentialChanges, 'allowedIps' | 'expiresAt' | 'owner'>,
  ) {
    super();
  }
}

@QueryHandler(FindCredentialFaultsQuery)
export class FindCredentialFaultsHandler implements IQueryHandler<FindCredentialFaultsQuery> {
  constructor(
    private readonly operations: OperationRepository,
    private readonly apis: ApiRepository,
    private readonly clock: Clock,
  ) {}

  async execute({ operationId, keys, changes }: FindCredentialFaultsQuery): Promise<FieldFault[]> {
    const operation = await this.operation(operationId);
    const catalogue = Object.entries(keys).map(
      ([member, list]) =>
        () =>
          this.apis.assertKnown(list, member),
    );
    if (operation === undefined) return bounded(faultsOf(...catalogue));
    const entitlement = (['apis', 'add'] as const).map(
      (member) => () => checkEntitlement(keys[member] ?? [], member, operation),
    );
    const rules = Credential.checks(changes, { at: this.clock.now(), operation });
    return bounded(faultsOf(...catalogue, ...entitlement, ...rules));
  }

  /** undefined: there is none, which another check refuses. */
  private async operation(operationId: string): Promise<OperationRules | undefined> {
    try {
      return (await bounded(this.operations.load(operationId))).state;
    } catch (error) {
      if (error instanceof DomainError && error.code === 'not-found') return undefined;
      throw error;
    }
  }
}
