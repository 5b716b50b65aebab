import { Schema } from 'mongoose';
import { nameKey } from '#kernel';
import type { CredentialState } from '../domain/credential.ts';
import { NO_RULES } from '../domain/inherited-rules.ts';
import type { InheritedRules } from '../domain/inherited-rules.ts';

/** Defaults for documents of versions without owners and labels. */
type LaterMembers = 'owner' | 'contact' | 'labels' | 'inherited';

export interface CredentialDocument extends Omit<CredentialState, 'id' | LaterMembers> {
  _id: string;
  nameKey: string;
  owner?: string | null;
  contact?: string | null;
  /** `key:value`, so that one index serves the search by any label. A key has no colon. */
  labels?: string[];
  inherited?: InheritedRules;
}

const secretSchema = new Schema(
  { id: String, digest: String, createdAt: Date, expiresAt: Date, lastUsedAt: Date },
  { _id: false, id: false },
);

const inheritedSchema = new Schema<InheritedRules>(
  { suspended: Boolean, maxSecretAgeDays: Number, exemptSecretIds: [String] },
  { _id: false },
);

export const credentialSchema = new Schema<CredentialDocument>({
  _id: String,
  operationId: String,
  slot: Number,
  clientId: String,
  name: String,
  nameKey: String,
  description: String,
  owner: String,
  contact: String,
  labels: { type: [String], default: undefined },
  apis: [String],
  allowedIps: [String],
  status: String,
  expiresAt: Date,
  tokenTtlSeconds: Number,
  tokenLimitPolicy: String,
  secrets: [secretSchema],
  inherited: { type: inheritedSchema, default: undefined },
  lastUsedAt: Date,
  version: Number,
  createdAt: Date,
  createdBy: String,
  updatedAt: Date,
  updatedBy: String,
});
credentialSchema.index({ operationId: 1, slot: 1 }, { unique: true, name: 'credential_slot' }); // ten slots per operation
credentialSchema.index({ operationId: 1, nameKey: 1 }, { unique: true, name: 'credential_name' }); // a name is unique per operation
credentialSchema.index({ clientId: 1 }, { unique: true, name: 'credential_client_id' }); // serves every OAuth call
credentialSchema.index({ apis: 1 }, { name: 'credential_apis' }); // serves the removal of an API
credentialSchema.index({ owner: 1, _id: 1 }, { name: 'credential_owner' }); // these three serve the search across operations
credentialSchema.index({ labels: 1, _id: 1 }, { name: 'credential_labels' });
credentialSchema.index({ expiresAt: 1 }, { name: 'credential_expires_at' });
credentialSchema.index({ 'secrets.digest': 1 }, { name: 'credential_secret' }); // finds the owner of a leaked secret
credentialSchema.index({ 'secrets.expiresAt': 1 }, { name: 'credential_secret_expires_at' }); // these two serve notices
credentialSchema.index({ 'inherited.maxSecretAgeDays': 1, 'secrets.createdAt': 1 }, { name: 'credential_secret_age' });

export function toState(document: CredentialDocument): CredentialState {
  const { _id, nameKey: _key, owner = null, contact = null, labels = [], inherited = NO_RULES, ...rest } = document;
  return { id: _id, ...rest, owner, contact, labels: Object.fromEntries(labels.map(splitLabel)), inherited };
}

export function toDocument({ id, labels, ...rest }: CredentialState): CredentialDocument {
  const texts = Object.entries(labels).map(([key, value]) => labelText(key, value));
  return { _id: id, nameKey: nameKey(rest.name), ...rest, labels: texts };
}

/** A label as it is stored and searched. */
export function labelText(key: string, value: string): string {
  return `${key}:${value}`;
}

function splitLabel(text: string): [key: string, value: string] {
  const at = text.indexOf(':');
  return [text.slice(0, at), text.slice(at + 1)];
}
