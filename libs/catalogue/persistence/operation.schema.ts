import { Schema } from 'mongoose';
import { NO_POLICY, nameKey } from '#kernel';
import type { OperationState } from '../domain/operation.ts';

/** Defaults for documents of versions without suspension, policy and API list. */
type LaterMembers = 'status' | 'policy' | 'entitledApis';

export interface OperationDocument
  extends Omit<OperationState, 'id' | LaterMembers>, Partial<Pick<OperationState, LaterMembers>> {
  _id: string;
  nameKey: string;
}

export const operationSchema = new Schema<OperationDocument>({
  _id: String,
  name: String,
  nameKey: String,
  status: String,
  requireAllowedIps: Boolean,
  policy: {
    type: new Schema(
      {
        widestIpv4Prefix: Number,
        widestIpv6Prefix: Number,
        maxSecretAgeDays: Number,
        maxCredentialDays: Number,
        requireOwner: Boolean,
        requireExpiry: Boolean,
      },
      { _id: false },
    ),
    default: undefined,
  },
  entitledApis: { type: [String], default: undefined },
  credentialCount: Number,
  version: Number,
  createdAt: Date,
  updatedAt: Date,
});
operationSchema.index({ nameKey: 1 }, { unique: true, name: 'operation_name' }); // one operation per name

export function toState(document: OperationDocument): OperationState {
  const { _id, nameKey: _key, status = 'active', policy = NO_POLICY, entitledApis = null, ...rest } = document;
  return { id: _id, ...rest, status, policy: { ...NO_POLICY, ...policy }, entitledApis };
}

export function toDocument({ id, ...rest }: OperationState): OperationDocument {
  return { _id: id, nameKey: nameKey(rest.name), ...rest };
}
