import { Injectable } from '@nestjs/common';
import { OperationRepository, ResourceServerRepository } from '#catalogue';
import { CredentialRepository } from '#credentials';
import { TombstoneReview } from './tombstones/tombstone-review.ts';
import { UnitOfWork, systemContext } from '#events';
import type { Transaction } from '#events';
import { TokenRepository } from '#tokens';
import type { RestoreFindings } from './restore-check.ts';
import type { Resurrection } from './resurrections.ts';

const LIMIT_MS = 10_000;
const ACTOR = 'reconcile';

/** The step for one credential, resource server or chain. */
export interface ReconciliationStep {
  /** For the operator: the objects that end again, or the lost events of a log. */
  readonly what: string;
  /** Does the step in one transaction with its event. */
  run(): Promise<void>;
}

/** The dependencies that write the events of a reconciliation. */
@Injectable()
export class EndingServices {
  constructor(
    readonly unitOfWork: UnitOfWork,
    readonly review: TombstoneReview,
  ) {}
}

/** Ends again the objects that a restored backup revived. */
@Injectable()
export class Reconciliation {
  constructor(
    private readonly ending: EndingServices,
    private readonly operations: OperationRepository,
    private readonly resourceServers: ResourceServerRepository,
    private readonly credentials: CredentialRepository,
    private readonly tokens: TokenRepository,
  ) {}

  /** The steps, in order, after which the store agrees with the tombstones. */
  steps({ lost, resurrections }: RestoreFindings): ReconciliationStep[] {
    const byOwner = Map.groupBy(resurrections, ({ owner }) => owner);
    return [
      ...[...byOwner.values()].flatMap((own) => this.ownerStep(own)),
      ...lost.map((mark) => ({
        what: `event log ${mark.chain}: it had event ${mark.seq} (${mark.hash}) at ${mark.at}, which this database does not have`,
        run: () => this.ending.review.acceptLoss(mark),
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
      this.ending.unitOfWork.run(
        systemContext(ACTOR),
        { chains: [operationId], altersRights: true, limitMs: LIMIT_MS },
        work,
      );
    if (operationId === null) {
      return [{ what, run: () => run((transaction) => this.endServer(owner, ended, transaction)) }];
    }
    return [{ what, run: () => run((transaction) => this.endCredential(operationId, owner, ended, transaction)) }];
  }

  private async endCredential(
    operationId: string,
    id: string,
    ended: readonly Resurrection[],
    transaction: Transaction,
  ): Promise<void> {
    const { session, at, context } = transaction;
    const credential = await this.credentials.load(operationId, id, session);
    if (ended.some(({ kind }) => kind === 'credential')) {
      credential.delete({ reconciled: true });
      await this.credentials.delete(credential, session);
      await this.operations.countCredential(operationId, -1, session);
    } else {
      const secrets = ended.filter(({ kind }) => kind === 'secret');
      credential.endSecretsAgain(endsOf(secrets), { at, by: context.actor.id });
      if (secrets.length > 0) await this.credentials.save(credential, session);
      const ids = new Set(ended.filter(({ kind }) => kind === 'token').map((token) => token.id));
      const live = (await this.tokens.live(id, at, session)).filter((token) => ids.has(token.id));
      await this.tokens.delete(
        live.map((token) => token._id),
        session,
      );
      credential.endTokens(
        live.map((token) => token.id),
        'reconciled',
      );
    }
    transaction.publish(credential);
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

function endsOf(secrets: readonly Resurrection[]): ReadonlyMap<string, Date> {
  return new Map(secrets.map(({ id, endedAt }) => [id, endedAt]));
}
