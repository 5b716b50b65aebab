import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { OperationRepository } from '#catalogue';
import type { CredentialState } from '../domain/credential.ts';
import { GovernedCredential } from '../domain/governed-credential.ts';
import type { GoverningOperation } from '../domain/governed-credential.ts';
import { CredentialRepository } from './credential.repository.ts';

/** Credentials with the rules of their operations. */
@Injectable()
export class GovernedCredentials {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly operations: OperationRepository,
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
