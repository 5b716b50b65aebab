import { Injectable } from '@nestjs/common';
import type { QueryFilter } from 'mongoose';
import type { CredentialState } from '../domain/credential.ts';
import { DAY_MS } from '../domain/inherited-rules.ts';
import { CredentialRepository } from './credential.repository.ts';
import { toState } from './credential.schema.ts';
import type { CredentialDocument } from './credential.schema.ts';

const BATCH_SIZE = 500;

/** Finds active credentials that end soon, or a secret of theirs does. Each search is served by an index. */
@Injectable()
export class EndingCredentials {
  constructor(private readonly credentials: CredentialRepository) {}

  /** In batches of at most 500. A credential may be in several of them. */
  async *between(from: Date, until: Date): AsyncGenerator<CredentialState[]> {
    const soon = { $gt: from, $lte: until };
    yield* this.batches({ expiresAt: soon });
    yield* this.batches({ secrets: { $elemMatch: { expiresAt: soon } } });
    for (const days of await this.maximumAges()) {
      const ageMs = days * DAY_MS;
      const made = { $gt: new Date(from.getTime() - ageMs), $lte: new Date(until.getTime() - ageMs) };
      yield* this.batches({ 'inherited.maxSecretAgeDays': days, secrets: { $elemMatch: { createdAt: made } } });
    }
  }

  private async *batches(filter: QueryFilter<CredentialDocument>): AsyncGenerator<CredentialState[]> {
    const cursor = this.credentials.model
      .find({ ...filter, status: 'active' })
      .lean()
      .cursor({ batchSize: BATCH_SIZE });
    let batch: CredentialState[] = [];
    for await (const document of cursor) {
      batch.push(toState(document));
      if (batch.length < BATCH_SIZE) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** The maximum ages of secrets that operations have set. */
  private async maximumAges(): Promise<number[]> {
    // `distinct` is not in the Stable API
    const found = await this.credentials.model.aggregate<{ _id: number }>([
      { $match: { 'inherited.maxSecretAgeDays': { $gt: 0 } } },
      { $group: { _id: '$inherited.maxSecretAgeDays' } },
    ]);
    return found.map(({ _id }) => _id);
  }
}
