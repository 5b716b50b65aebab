import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Fence, LeasedReader, findAfter } from '#fence';
import { AllowedIps } from '#kernel';
import type { StoredSecret } from '#kernel';
import { CredentialRepository } from './credential.repository.ts';
import type { CredentialDocument } from './credential.schema.ts';
import { NO_RULES, endOfSecret } from '../domain/inherited-rules.ts';

/** The parts of a credential that the OAuth endpoints need, prepared for repeated use. */
export interface CredentialRecord {
  readonly id: string;
  readonly operationId: string;
  readonly clientId: string;
  readonly apis: readonly string[];
  readonly allowedIps: AllowedIps;
  readonly allowedIpTexts: readonly string[];
  /** Why it may not be used: it is disabled, or its operation is suspended. */
  readonly blocked: 'disabled' | 'suspended' | undefined;
  /** When it expires, in milliseconds since the epoch; Infinity if never. */
  readonly expiresAtMs: number;
  readonly tokenTtlSeconds: number;
  readonly tokenLimitPolicy: 'reject' | 'evict_oldest';
  /** `expiresAt` is also the end by the operation's maximum age. */
  readonly secrets: readonly Pick<StoredSecret, 'id' | 'digest' | 'expiresAt'>[];
  /** The version on which decisions by this record depend. */
  readonly version: number;
}

/** Credentials by client id, cached under the fence. Decides whether tokens are valid. */
@Injectable()
export class CredentialReader extends LeasedReader<CredentialRecord> {
  constructor(
    private readonly credentials: CredentialRepository,
    fence: Fence,
  ) {
    super(fence, {
      load: async (clientIds, { floor }) => {
        const query = { filter: { clientId: { $in: clientIds } }, projection: PROJECTION, atMost: clientIds.length };
        const found = (await findAfter(floor, credentials.model, query)).documents as CredentialDocument[];
        return new Map(found.map((document) => [document.clientId, recordOf(document)]));
      },
      scopeOf: ({ operationId }) => operationId,
      dependsOn: 'rights',
    });
  }

  /**
   * Reads credentials of these ids and operations past the cache.
   *
   * @param session null for the committed state
   */
  async within(
    session: ClientSession | null,
    { ids, operationIds }: { readonly ids: readonly string[]; readonly operationIds: readonly string[] },
  ): Promise<StoredCredential[]> {
    const filter = { $or: [{ _id: { $in: [...ids] } }, { operationId: { $in: [...operationIds] } }] };
    const found = await this.credentials.model.find(filter, { ...PROJECTION, lastUsedAt: 1 }, { session }).lean();
    return (found as unknown as CredentialDocument[]).map((document) => ({
      ...recordOf(document),
      lastUsedAt: document.lastUsedAt,
    }));
  }
}

/** A credential with its last use, which is not cached. */
export type StoredCredential = CredentialRecord & { readonly lastUsedAt: Date | null };

/** The members that are judged. */
type JudgedDocument = Pick<
  CredentialDocument,
  | '_id'
  | 'operationId'
  | 'clientId'
  | 'apis'
  | 'allowedIps'
  | 'status'
  | 'expiresAt'
  | 'tokenTtlSeconds'
  | 'tokenLimitPolicy'
  | 'secrets'
  | 'inherited'
  | 'version'
>;

const PROJECTION = {
  operationId: 1,
  clientId: 1,
  apis: 1,
  allowedIps: 1,
  status: 1,
  expiresAt: 1,
  tokenTtlSeconds: 1,
  tokenLimitPolicy: 1,
  'secrets.id': 1,
  'secrets.digest': 1,
  'secrets.createdAt': 1,
  'secrets.expiresAt': 1,
  inherited: 1,
  version: 1,
};

/** What requests are judged by, of a credential as it is stored or was at a past moment. */
export function recordOf(document: JudgedDocument): CredentialRecord {
  const { status, inherited = NO_RULES } = document;
  return {
    id: document._id,
    operationId: document.operationId,
    clientId: document.clientId,
    apis: document.apis,
    allowedIps: new AllowedIps(document.allowedIps),
    allowedIpTexts: document.allowedIps,
    blocked: status !== 'active' ? 'disabled' : inherited.suspended ? 'suspended' : undefined,
    expiresAtMs: document.expiresAt?.getTime() ?? Infinity,
    tokenTtlSeconds: document.tokenTtlSeconds,
    tokenLimitPolicy: document.tokenLimitPolicy,
    secrets: document.secrets.map((secret) => ({
      id: secret.id,
      digest: secret.digest,
      expiresAt: endOfSecret(secret, inherited),
    })),
    version: document.version,
  };
}
