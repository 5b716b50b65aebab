import { Injectable } from '@nestjs/common';
import { literalPattern, nameKey } from '#kernel';
import type { CredentialState } from '../domain/credential.ts';
import { CredentialRepository } from './credential.repository.ts';
import { labelText, toState } from './credential.schema.ts';

/** The filters of a search across operations. `operationIds` undefined means all. */
export interface CredentialCriteria {
  readonly operationIds?: readonly string[] | undefined;
  readonly clientId?: string | undefined;
  /** A part of the name, case-insensitive. */
  readonly name?: string | undefined;
  readonly api?: string | undefined;
  readonly owner?: string | undefined;
  readonly label?: { readonly key: string; readonly value: string } | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
  /** Neither disabled, suspended nor expired at that moment. */
  readonly usableAt?: Date | undefined;
  /** Created before that moment and not used since. */
  readonly unusedSince?: Date | undefined;
  readonly expiresBefore?: Date | undefined;
  readonly unrestrictedIps?: boolean | undefined;
}

type Condition = Readonly<Record<string, unknown>>;

/** Finds credentials of all operations. */
@Injectable()
export class CredentialSearch {
  constructor(private readonly credentials: CredentialRepository) {}

  /** A page of credentials by id. @param after id of the last item of the previous page */
  async page(criteria: CredentialCriteria, after: string | undefined, limit: number): Promise<CredentialState[]> {
    const conditions = [...conditionsOf(criteria), ...(after === undefined ? [] : [{ _id: { $gt: after } }])];
    const filter = conditions.length === 0 ? {} : { $and: conditions };
    const documents = await this.credentials.model.find(filter).sort({ _id: 1 }).limit(limit).lean();
    return documents.map(toState);
  }

  /** Those of these ids that exist. */
  async withIds(ids: readonly string[]): Promise<CredentialState[]> {
    const documents = await this.credentials.model.find({ _id: { $in: [...ids] } }).lean();
    return documents.map(toState);
  }
}

function conditionsOf(criteria: CredentialCriteria): Condition[] {
  const {
    operationIds,
    clientId,
    name,
    api,
    owner,
    label,
    status,
    usableAt,
    unusedSince,
    expiresBefore,
    unrestrictedIps,
  } = criteria;
  const all: readonly (Condition | false)[] = [
    operationIds !== undefined && { operationId: { $in: operationIds } },
    clientId !== undefined && { clientId },
    name !== undefined && { nameKey: { $regex: literalPattern(nameKey(name)) } },
    api !== undefined && { apis: api },
    owner !== undefined && { owner },
    label !== undefined && { labels: labelText(label.key, label.value) },
    status !== undefined && { status },
    usableAt !== undefined && {
      status: 'active',
      'inherited.suspended': { $ne: true },
      $or: [{ expiresAt: null }, { expiresAt: { $gt: usableAt } }],
    },
    unusedSince !== undefined && {
      $or: [{ lastUsedAt: { $lt: unusedSince } }, { lastUsedAt: null, createdAt: { $lt: unusedSince } }],
    },
    expiresBefore !== undefined && { expiresAt: { $lt: expiresBefore } },
    unrestrictedIps !== undefined &&
      (unrestrictedIps ? { allowedIps: { $size: 0 } } : { 'allowedIps.0': { $exists: true } }),
  ];
  return all.filter((condition) => condition !== false);
}
