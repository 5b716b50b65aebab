import { Injectable } from '@nestjs/common';
import { ResourceServerRepository } from '#catalogue';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { UnitOfWork, systemContext } from '#events';
import type { Transaction } from '#events';
import type { RestoreFindings } from './restore-check.ts';
import { endsOf } from './resurrections.ts';
import type { Resurrection } from './resurrections.ts';
import { RevivedCredentials } from './revived-credentials.ts';

const LIMIT_MS = 10_000;
const ACTOR = 'reconcile';

/** The step for one credential, resource server or chain. */
export interface ReconciliationStep {
  /** For the operator: the objects that end again, or the lost events of a log. */
  readonly what: string;
  /** Does the step in one transaction with its event. */
  run(): Promise<void>;
}

/** Ends again the objects that a restored backup revived. */
@Injectable()
export class Reconciliation {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly review: TombstoneReview,
    private readonly credentials: RevivedCredentials,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  /** The steps, in order, after which the store agrees with the tombstones. */
  steps({ lost, resurrections }: RestoreFindings): ReconciliationStep[] {
    const byOwner = Map.groupBy(resurrections, ({ owner }) => owner);
    return [
      ...[...byOwner.values()].flatMap((own) => this.ownerStep(own)),
      ...lost.map((mark) => ({
        what: `event log ${mark.chain}: it had event ${mark.seq} (${mark.hash}) at ${mark.at}, which this database does not have`,
        run: () => this.review.acceptLoss(mark),
      })),
    ];
  }

  private ownerStep(all: readonly Resurrection[]): ReconciliationStep[] {
    const [first] = all;
    if (first === undefined) return [];
    const { owner, operationId } = first;
    const dead = all.find(({ kind }) => kind === 'credential' || kind === 'resource-server');
    const ended = dead === undefined ? all : [dead];
    const what = ended.map(({ kind, id, endedAt }) => `${kind} ${id}, ended at ${endedAt.toISOString()}`).join('; ');
    const run = (work: (transaction: Transaction) => Promise<void>): Promise<void> =>
      this.unitOfWork.run(systemContext(ACTOR), { chains: [operationId], altersRights: true, limitMs: LIMIT_MS }, work);
    if (operationId === null) {
      return [{ what, run: () => run((transaction) => this.endServer(owner, ended, transaction)) }];
    }
    return [{ what, run: () => run((transaction) => this.credentials.end(operationId, owner, ended, transaction)) }];
  }

  private async endServer(id: string, ended: readonly Resurrection[], transaction: Transaction): Promise<void> {
    const { session, at } = transaction;
    const server = await this.resourceServers.load(id, session);
    if (ended.some(({ kind }) => kind === 'resource-server')) {
      server.delete({ reconciled: true });
      await this.resourceServers.delete(server, session);
    } else {
      server.endSecretsAgain(endsOf(ended), at);
      await this.resourceServers.save(server, session);
    }
    transaction.publish(server);
  }
}
