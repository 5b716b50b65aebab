import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ApiRepository } from '#catalogue';
import type { Api, ApiRemoval } from '#catalogue';
import { ChainBarrier, UnitOfWork } from '#events';
import { DomainError, checkVersion } from '#kernel';
import type { CallContext, ExpectedVersion } from '#kernel';
import { storeUnavailable } from '#mongo';
import { ApiUse } from './api-use.ts';
import { ApiWithdrawal, PART_LIMIT_MS } from './api-withdrawal.ts';

/** How often a deletion without force is retried while the API is granted and removed again. */
const TRIES = 3;

/** A deletion without force. */
export interface ApiToDelete {
  readonly context: CallContext;
  readonly apiKey: string;
  readonly expected: ExpectedVersion;
}

/** Deletes unused APIs so that they cannot be granted at the same time (docs/adr/0044-removing-an-api.md). */
@Injectable()
export class ApiDeletion {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly apis: ApiRepository,
    private readonly use: ApiUse,
    private readonly barrier: ChainBarrier,
    private readonly withdrawal: ApiWithdrawal,
  ) {}

  /**
   * A dry run of the deletion: all its parts, in one transaction that is rolled back.
   *
   * @throws DryRunRollback always, unless the deletion is refused; DomainError `api-in-use`
   */
  tryOut({ context, apiKey, expected, force }: ApiToDelete & { readonly force: boolean }): Promise<never> {
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session } = transaction;
      const api = await this.load(apiKey, expected, session);
      // without force, the real call joins a running removal
      if (force || api.state.removal !== null) {
        await this.withdrawal.begin(api, transaction);
        await this.withdrawal.takeFromAll(apiKey, transaction);
      } else await this.assertUnused(apiKey, session);
      api.delete();
      await this.apis.delete(apiKey, session);
      transaction.publish(api);
      return undefined as never;
    });
  }

  /** @returns false if a removal by force is running @throws DomainError `api-in-use` */
  async deleteUnused(api: ApiToDelete): Promise<boolean> {
    for (let left = TRIES; left > 0; left -= 1) {
      const mark = await this.reserve(api);
      if (mark === undefined) return false;
      await this.barrier.pass();
      if (await this.deleteReserved(api, mark)) return true;
    }
    throw storeUnavailable(new Error('the API was granted and given up again meanwhile'));
  }

  /**
   * Checks that nothing names the API, by a commit and the lease after it. So when it is no longer found, no instance
   * accepts it, even if another instance took it from the last credential.
   */
  isOutOfForce(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    const options = { chains: [], altersRights: true, limitMs: PART_LIMIT_MS };
    return this.unitOfWork.run(context, options, async ({ session }) => !(await this.use.isUsed(apiKey, session)));
  }

  /** @returns false if something names it again, because an instance of an earlier version granted it */
  async deleteWithdrawn(apiKey: string, { context }: ApiRemoval): Promise<boolean> {
    try {
      return await this.unitOfWork.run(context, { chains: [null], limitMs: PART_LIMIT_MS }, async (transaction) => {
        const { session } = transaction;
        const api = await this.apis.load(apiKey, session);
        if (await this.use.isUsed(apiKey, session)) return false;
        api.delete();
        await this.apis.delete(apiKey, session);
        transaction.publish(api);
        return true;
      });
    } catch (error) {
      // another instance was faster
      if (error instanceof DomainError && error.code === 'not-found') return true;
      throw error;
    }
  }

  private reserve({ context, apiKey, expected }: ApiToDelete): Promise<string | undefined> {
    const options = { chains: [], altersRights: true, isPart: true };
    return this.unitOfWork.run(context, options, async ({ session }) => {
      const api = await this.load(apiKey, expected, session);
      if (api.state.removal !== null) return undefined;
      await this.assertUnused(apiKey, session);
      return this.apis.reserve(apiKey, session);
    });
  }

  private deleteReserved({ context, apiKey, expected }: ApiToDelete, mark: string): Promise<boolean> {
    return this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const { session } = transaction;
      const api = await this.load(apiKey, expected, session);
      await this.assertUnused(apiKey, session);
      if (!(await this.apis.isReserved(apiKey, mark, session))) return false;
      api.delete();
      await this.apis.delete(apiKey, session);
      transaction.publish(api);
      return true;
    });
  }

  private async load(apiKey: string, expected: ExpectedVersion, session: ClientSession): Promise<Api> {
    const api = await this.apis.load(apiKey, session);
    checkVersion(api.state.version, expected);
    return api;
  }

  private async assertUnused(apiKey: string, session: ClientSession): Promise<void> {
    if (!(await this.use.isUsed(apiKey, session))) return;
    throw new DomainError(
      'api-in-use',
      'Remove it from every credential and resource server first, or delete it with ?force=true.',
    );
  }
}
