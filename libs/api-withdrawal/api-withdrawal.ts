import { Injectable } from '@nestjs/common';
import { ApiRepository, ResourceServerRepository } from '#catalogue';
import type { Api, ApiRemoval } from '#catalogue';
import { CredentialRepository } from '#credentials';
import { UnitOfWork, inHalves } from '#events';
import type { Transaction } from '#events';
import { Clock } from '#kernel';
import { bounded } from '#mongo';

/** Time limit for one part of a removal, in milliseconds. No client waits for it. */
export const PART_LIMIT_MS = 30_000;
const SERVERS_EACH = 50;
/** Operations of one dry run. With so many, it exceeds the time of a request and is 503. */
const MAX_OPERATIONS_TRIED = 10_000;

/** Takes an API that is being removed from everything that names it, in parts that can each be repeated. */
@Injectable()
export class ApiWithdrawal {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly apis: ApiRepository,
    private readonly resourceServers: ResourceServerRepository,
    private readonly credentials: CredentialRepository,
    private readonly clock: Clock,
  ) {}

  /** @returns some operations with credentials that name it */
  operationsWith(apiKey: string, limit: number): Promise<string[]> {
    return bounded(this.credentials.operationsWithApi(apiKey, limit));
  }

  /** Takes it from all credentials of these operations, in as few units of work as other writers allow. */
  fromOperations(apiKey: string, context: ApiRemoval['context'], operationIds: readonly string[]): Promise<number> {
    return inHalves(operationIds, (some, tryOnce) => this.fromCredentials(apiKey, context, some, tryOnce));
  }

  /** @returns from how many resource servers it was taken, at most 50 */
  fromServers(apiKey: string, context: ApiRemoval['context']): Promise<number> {
    return this.unitOfWork.run(context, part([null]), (transaction) => this.takeFromServers(apiKey, transaction));
  }

  /** Marks the API, so that nothing new is granted it. Does nothing if its removal is running. */
  async begin(api: Api, transaction: Transaction): Promise<void> {
    if (api.state.removal !== null) return;
    const { session, at, context } = transaction;
    api.startRemoval(context, await this.credentials.countWithApi(api.state.key, session), at);
    await this.apis.saveRemoval(api, session);
    transaction.publish(api);
  }

  /** Takes it from everything that names it, in one transaction: for a dry run. */
  async takeFromAll(apiKey: string, transaction: Transaction): Promise<void> {
    while ((await this.takeFromServers(apiKey, transaction)) > 0);
    const operationIds = await this.operationsWith(apiKey, MAX_OPERATIONS_TRIED);
    await this.takeFromCredentials(apiKey, operationIds, transaction);
  }

  /**
   * Takes it from the credentials of these operations, one event each.
   *
   * @param tryOnce fail with `store-unavailable` instead of waiting for another writer
   * @returns from how many credentials it was taken
   */
  private fromCredentials(
    apiKey: string,
    context: ApiRemoval['context'],
    operationIds: readonly string[],
    tryOnce: boolean,
  ): Promise<number> {
    const options = { ...part(operationIds), tryOnce };
    return this.unitOfWork.run(context, options, (transaction) =>
      this.takeFromCredentials(apiKey, operationIds, transaction),
    );
  }

  private async takeFromServers(apiKey: string, transaction: Transaction): Promise<number> {
    const { session, at } = transaction;
    const servers = await this.resourceServers.removeApi(apiKey, session, at, SERVERS_EACH);
    transaction.publish(...servers);
    return servers.length;
  }

  private async takeFromCredentials(
    apiKey: string,
    operationIds: readonly string[],
    transaction: Transaction,
  ): Promise<number> {
    const { session, at, context } = transaction;
    const credentials = await this.credentials.withApi(apiKey, operationIds, session);
    for (const credential of credentials) credential.withdrawApis([apiKey], { at, by: context.actor.id });
    await this.credentials.saveAll(credentials, session);
    transaction.publish(...credentials);
    return credentials.length;
  }

  /** Stores how many credentials still name it, and when it was last worked on. */
  async noteProgress(apiKey: string): Promise<void> {
    const left = await bounded(this.credentials.countWithApi(apiKey));
    await bounded(this.apis.noteProgress(apiKey, this.clock.now(), left));
  }
}

/** The options of a unit whose caller waits for the lease once, after several units. */
function part(chains: readonly (string | null)[]): Parameters<UnitOfWork['run']>[1] {
  return { chains, altersRights: true, isPart: true, limitMs: PART_LIMIT_MS };
}
