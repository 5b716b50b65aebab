import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { Clock, listSecrets } from '#kernel';
import { bounded } from '#mongo';
import { UsageReader } from '#usage';
import type { BucketSize, UsageReport } from '#usage';
import { CredentialRepository } from '../persistence/credential.repository.ts';
import { credentialView } from './credential.view.ts';

/** A secret of the credential, with how often it got a token in the period. */
interface SecretUsage {
  readonly secretId: string;
  readonly count: number;
  readonly lastSeenAt: Date | null;
  /** Whether it is valid now. */
  readonly live: boolean;
}

export interface CredentialUsage extends Omit<UsageReport, 'secrets'> {
  /** Those that were used, and the live ones that were not. */
  readonly secrets: readonly SecretUsage[];
  readonly recordedSince: Date;
}

/** What a credential was used for within a period. */
export class GetCredentialUsageQuery extends Query<CredentialUsage> {
  constructor(
    readonly operationId: string,
    readonly credentialId: string,
    readonly period: { readonly from: Date; readonly to: Date; readonly bucket: BucketSize },
  ) {
    super();
  }
}

@QueryHandler(GetCredentialUsageQuery)
export class GetCredentialUsageHandler implements IQueryHandler<GetCredentialUsageQuery> {
  constructor(
    private readonly credentials: CredentialRepository,
    private readonly usage: UsageReader,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `not-found`, `store-unavailable` */
  async execute({ operationId, credentialId, period }: GetCredentialUsageQuery): Promise<CredentialUsage> {
    const { state } = await bounded(this.credentials.load(operationId, credentialId));
    const [report, recordedSince] = await Promise.all([
      this.usage.report(credentialId, period.from, period.to, period.bucket),
      this.usage.recordedSince(),
    ]);
    const live = new Set(listSecrets(credentialView(state, 0, this.clock.now()).secrets).map(({ id }) => id));
    const used = report.secrets.map((secret) => ({ ...secret, live: live.has(secret.secretId) }));
    for (const { secretId } of used) live.delete(secretId);
    const unused = [...live].map((secretId) => ({ secretId, count: 0, lastSeenAt: null, live: true }));
    return { ...report, secrets: [...used, ...unused], recordedSince };
  }
}
