import { Injectable } from '@nestjs/common';
import { ResourceServerRepository } from '#catalogue';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { UnitOfWork, systemContext } from '#events';
import type { Transaction } from '#events';
import type { RestoreFindings } from './restore-check.ts';
import { describe, endsOf } from './resurrection.ts';
import type { Owner, Resurrection } from './resurrection.ts';
import { RevivedCredentials } from './revived-credentials.ts';
import { RevivedPeople } from './revived-people.ts';

const LIMIT_MS = 10_000;
const ACTOR = 'reconcile';

/** The step for one credential, resource server, user or chain. */
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
    private readonly people: RevivedPeople,
    private readonly resourceServers: ResourceServerRepository,
  ) {}

  /** The steps, in order, after which the store agrees with the tombstones. */
  steps({ lost, resurrections }: RestoreFindings): ReconciliationStep[] {
    const byOwner = Map.groupBy(resurrections, ({ owner }) => owner.id);
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
    const { owner } = first;
    const dead = all.find(({ kind }) => kind === owner.type);
    const ended = dead === undefined ? all : [dead];
    const chain = owner.type === 'credential' ? owner.operationId : null;
    const options = { chains: [chain], altersRights: true, limitMs: LIMIT_MS };
    const run = (): Promise<void> =>
      this.unitOfWork.run(systemContext(ACTOR), options, (transaction) => this.end(owner, ended, transaction));
    return [{ what: ended.map(describe).join('; '), run }];
  }

  private end(owner: Owner, ended: readonly Resurrection[], transaction: Transaction): Promise<void> {
    if (owner.type === 'user') return this.people.end(owner.id, ended, transaction);
    if (owner.type === 'resource-server') return this.endServer(owner.id, ended, transaction);
    return this.credentials.end(owner.operationId, owner.id, ended, transaction);
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
