import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ChainFaults, CheckpointKeys } from '#audit';
import { chainName, operationOf } from '#chain';
import { ChainHealth } from '#events';
import { DomainError } from '#kernel';
import { ListFailedJobsQuery } from '#queues';
import type { FailedJob } from '#queues';
import type { AttentionItem, UncheckedKind } from './attention-item.ts';
import type { Wanted } from './credential-items.ts';

const MAX_JOBS = 50;
const MAX_CHAINS = 1_000;

/** Whose items are wanted. */
export interface AttentionScope {
  /** Undefined: all operations, and the platform. */
  readonly operationIds: readonly string[] | undefined;
  /** Whether failed jobs are shown. */
  readonly seesJobs: boolean;
}

interface Found {
  readonly items: AttentionItem[];
  readonly unchecked: UncheckedKind[];
}

/** Finds what needs a person about the event log and the service itself. */
@Injectable()
export class PlatformItems {
  constructor(
    private readonly queries: QueryBus,
    private readonly faults: ChainFaults,
    private readonly health: ChainHealth,
    private readonly keys: CheckpointKeys,
  ) {}

  /** @throws DomainError `store-unavailable` */
  async of({ operationIds, seesJobs }: AttentionScope, wants: Wanted, at: Date): Promise<Found> {
    const isOfPlatform = operationIds === undefined;
    const [chains, key, jobs] = await Promise.all([
      wants('chain-unverified') ? this.chains(at) : [],
      isOfPlatform && wants('signing-key-missing') ? this.signingKey(at) : [],
      isOfPlatform && seesJobs && wants('job-failed') ? this.jobs() : { items: [], unchecked: [] },
    ]);
    const visible = chains.filter(({ operationId }) => isOfPlatform || operationIds.includes(operationId ?? ''));
    return { items: [...visible, ...key, ...jobs.items], unchecked: jobs.unchecked };
  }

  /** Those that were not signed because of a fault, and those whose end does not match its head. */
  private async chains(at: Date): Promise<AttentionItem[]> {
    const since = new Map((await this.faults.list(MAX_CHAINS)).map((fault) => [fault.operationId, fault.since]));
    for (const { chain, forMs } of this.health.inconsistent) {
      const operationId = operationOf(chain);
      if (!since.has(operationId)) since.set(operationId, new Date(at.getTime() - forMs));
    }
    return [...since].map(([operationId, time]) => chainItem(operationId, time));
  }

  private async signingKey(at: Date): Promise<AttentionItem[]> {
    if (!this.keys.isMadeHere) return [];
    const detail =
      'The key that signs checkpoints is kept in the database, so a thief of the database could sign a forged event log. ' +
      'Make a key of your own and set LATCHKEY_SIGNING_KEY_FILE, then restart (docs/operating.md).';
    return [
      {
        ...{ kind: 'signing-key-missing', severity: 'warning', operationId: null },
        subject: { type: 'service', id: 'signing-key', name: null },
        since: (await this.keys.activeSince()) ?? at,
        ...{ detail, fix: null },
      },
    ];
  }

  private async jobs(): Promise<Found> {
    try {
      const jobs = await this.queries.execute(new ListFailedJobsQuery(undefined, undefined, MAX_JOBS));
      return { items: jobs.map(jobItem), unchecked: [] };
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'queue-unavailable')) throw error;
      const detail = 'The job queue is unavailable at the moment, so nobody knows which jobs failed. Try again later.';
      return { items: [], unchecked: [{ kind: 'job-failed', detail }] };
    }
  }
}

function chainItem(operationId: string | null, since: Date): AttentionItem {
  const id = chainName(operationId);
  const detail =
    `The chain ${id} of the event log has a fault: events were changed, removed or only partly restored. ` +
    `GET /v1/events/verify?operationId=${id} says where. An operator must run \`latchkey repair\` or restore the log.`;
  const effect = 'Verifies the chain again and signs it: it succeeds once the log is repaired.';
  return {
    ...{ kind: 'chain-unverified', severity: 'critical', operationId, since, detail },
    subject: { type: 'chain', id, name: null },
    fix: { method: 'POST', path: '/v1/checkpoints', body: { operationId: id }, effect },
  };
}

function jobItem({ queue, id, name, attempts, failedAt }: FailedJob): AttentionItem {
  return {
    ...{ kind: 'job-failed', severity: 'warning', operationId: null },
    subject: { type: 'job', id, name },
    since: new Date(failedAt),
    detail: `A job of the queue ${queue} failed ${attempts} times and is not tried again. The log of the worker has the error.`,
    fix: {
      method: 'POST',
      path: `/v1/jobs/${queue}/${encodeURIComponent(id)}/retry`,
      effect: 'Runs the job again. A job may run twice without harm.',
    },
  };
}
