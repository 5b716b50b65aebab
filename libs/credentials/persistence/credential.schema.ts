import { Schema } from 'mongoose';
import { nameKey } from '#kernel';
import type { CredentialState } from '../domain/credential.ts';

export interface CredentialDocument extends Omit<CredentialState, 'id'> {
  _id: string;
  nameKey: string;
}

const secretSchema = new Schema(
  { id: String, digest: String, createdAt: Date, expiresAt: Date, lastUsedAt: Date },
  { _id: false, id: false },
);

export const credentialSchema = new Schema<CredentialDocument>({
  _id: String,
  operationId: String,
  slot: Number,
  clientId: String,
  name: String,
  nameKey: String,
  description: String,
  apis: [String],
  allowedIps: [String],
  status: String,
  expiresAt: Date,
  tokenTtlSeconds: Number,
  tokenLimitPolicy: String,
  secrets: [secretSchema],
  lastUsedAt: Date,
  version: Number,
  createdAt: Date,
  createdBy: String,
  updatedAt: Date,
  updatedBy: String,
});
credentialSchema.index({ operationId: 1, slot: 1 }, { unique: true, name: 'credential_slot' }); // ten places an operation
credentialSchema.index({ operationId: 1, nameKey: 1 }, { unique: true, name: 'credential_name' }); // a name once an operation
credentialSchema.index({ clientId: 1 }, { unique: true, name: 'credential_client_id' }); // serves every OAuth call
credentialSchema.index({ apis: 1 }, { name: 'credential_apis' }); // serves the removal of an API

export function toState({ _id, nameKey: _key, ...rest }: CredentialDocument): CredentialState {
  return { id: _id, ...rest };
}

export function toDocument({ id, ...rest }: CredentialState): CredentialDocument {
  return { _id: id, nameKey: nameKey(rest.name), ...rest };
}
