import { Injectable } from '@nestjs/common';
import { ChainReader, CheckpointLog } from '#audit';
import { OperationRepository } from '#catalogue';
import { PLATFORM_CHAIN, chainName } from '#chain';
import { CredentialSearch } from '#credentials';
import {
  CredentialCreated,
  CredentialDeleted,
  CredentialUpdated,
  OperationCreated,
  OperationDeleted,
  OperationUpdated,
  anyVersion,
} from '#event-types';
import { EventLog } from '#events';
import { DomainError } from '#kernel';
import { bounded } from '#mongo';
import { PastState } from './past-state.ts';
import type { PastEvent } from './past-state.ts';

const CREDENTIAL_TYPES = [CredentialCreated, CredentialUpdated, CredentialDeleted].map(anyVersion);
const OPERATION_TYPES = [OperationCreated, OperationUpdated, OperationDeleted].map(anyVersion);

/** A credential as it was at a moment, and its operation. */
export interface PastCredential {
  readonly id: string;
  readonly operationId: string;
  readonly credential: PastState;
  readonly operation: PastState;
}

/** An event with its place in the chain. */
export interface SubjectEvent extends PastEvent {
  readonly id: string;
  readonly hash: string;
  readonly subjectId: string;
  readonly operationId: string;
}

/** Rebuilds credentials of a moment from the store and the event log. */
@Injectable()
export class CredentialHistory {
  constructor(
    private readonly log: EventLog,
    private readonly chains: ChainReader,
    private readonly checkpoints: CheckpointLog,
    private readonly credentials: CredentialSearch,
    private readonly operations: OperationRepository,
  ) {}

  /**
   * @param operationIds undefined for all operations
   * @throws DomainError `before-retention` when a retention has archived events after that moment
   */
  async requireRetained(at: Date, operationIds: readonly string[] | undefined): Promise<void> {
    const extents = await this.chains.extents(operationIds?.map(chainName));
    const archived = extents.flatMap(({ chain, archive }) =>
      archive === null || chain === PLATFORM_CHAIN ? [] : [archive.checkpointId],
    );
    const earliest = await this.checkpoints.latestOf(archived);
    if (earliest === undefined || at >= earliest) return;
    throw new DomainError(
      'before-retention',
      `The event log has no events before ${earliest.toISOString()}: older events are archived. Ask for a ` +
        'later moment, or look into the archive.',
      { extensions: { earliest: earliest.toISOString() } },
    );
  }

  /** What these credentials were at that moment; those that did not exist then are left out. */
  async at(moment: Date, ids: readonly string[]): Promise<PastCredential[]> {
    const found = await bounded(this.credentials.withIds(ids));
    const current = new Map(found.map((state) => [state.id, state]));
    const events = Map.groupBy(await this.events(ids, CREDENTIAL_TYPES), ({ subjectId }) => subjectId);
    const operationOf = (id: string): string | undefined =>
      current.get(id)?.operationId ?? events.get(id)?.[0]?.operationId;
    const operations = await this.operationsAt(moment, [...new Set(ids.flatMap((id) => operationOf(id) ?? []))]);
    return ids.flatMap((id) => {
      const operationId = operationOf(id);
      const operation = operations.get(operationId ?? '');
      if (operationId === undefined || operation === undefined) return [];
      const state = current.get(id);
      const credential = new PastState(state && { ...state }, events.get(id) ?? [], moment);
      return credential.exists ? [{ id, operationId, credential, operation }] : [];
    });
  }

  private async operationsAt(moment: Date, ids: readonly string[]): Promise<Map<string, PastState>> {
    const states = new Map((await bounded(this.operations.findAll(ids))).map((state) => [state.id, state]));
    const events = Map.groupBy(await this.events(ids, OPERATION_TYPES), ({ subjectId }) => subjectId);
    return new Map(
      ids.map((id) => {
        const state = states.get(id);
        return [id, new PastState(state && { ...state }, events.get(id) ?? [], moment)];
      }),
    );
  }

  /** Events of one credential. @param at restricts their time */
  eventsOf(credentialId: string, types: readonly RegExp[], at?: Record<'$gt' | '$lte', Date>): Promise<SubjectEvent[]> {
    return this.events([credentialId], types, at);
  }

  private async events(
    subjects: readonly string[],
    types: readonly RegExp[],
    at?: Record<'$gt' | '$lte', Date>,
  ): Promise<SubjectEvent[]> {
    const query = this.log.events
      .find(
        { 'subject.id': { $in: [...subjects] }, type: { $in: [...types] }, ...(at === undefined ? {} : { at }) },
        { seq: 1, hash: 1, type: 1, at: 1, data: 1, subject: 1, operationId: 1 },
      )
      .lean();
    return (await bounded(query.exec())).map(({ _id, seq, hash, type, at: time, data, subject, operationId }) => ({
      ...{ id: _id, seq, hash, type, at: time, data, subjectId: subject.id, operationId: operationId ?? '' },
    }));
  }
}
