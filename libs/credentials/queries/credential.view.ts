import type { SecretView } from '#kernel';
import type { CredentialState } from '../domain/credential.ts';
import { endOfSecret, workingSecrets } from '../domain/inherited-rules.ts';

/** A credential as the API shows it, without secrets and digests, and the version for its ETag. */
export interface CredentialView {
  readonly id: string;
  readonly operationId: string;
  readonly name: string;
  readonly description: string;
  readonly owner: string | null;
  readonly contact: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly apis: readonly string[];
  readonly allowedIps: readonly string[];
  readonly unrestrictedIps: boolean;
  readonly status: 'active' | 'disabled';
  readonly expiresAt: string | null;
  readonly tokenTtlSeconds: number;
  readonly tokenLimitPolicy: 'reject' | 'evict_oldest';
  readonly secrets: readonly SecretView[];
  readonly liveTokens: number;
  readonly lastUsedAt: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
  readonly version: number;
}

/** @param now secrets that have ended by then are not shown */
export function credentialView(state: CredentialState, liveTokens: number, now: Date): CredentialView {
  return {
    id: state.id,
    operationId: state.operationId,
    name: state.name,
    description: state.description,
    owner: state.owner,
    contact: state.contact,
    labels: state.labels,
    clientId: state.clientId,
    apis: state.apis,
    allowedIps: state.allowedIps,
    unrestrictedIps: state.allowedIps.length === 0,
    status: state.status,
    expiresAt: text(state.expiresAt),
    tokenTtlSeconds: state.tokenTtlSeconds,
    tokenLimitPolicy: state.tokenLimitPolicy,
    secrets: secretViews(state, now),
    liveTokens,
    lastUsedAt: text(state.lastUsedAt),
    createdAt: state.createdAt.toISOString(),
    createdBy: state.createdBy,
    updatedAt: state.updatedAt.toISOString(),
    updatedBy: state.updatedBy,
    version: state.version,
  };
}

/** The secrets that sign in. Their end includes the operation's maximum age. */
function secretViews({ secrets, inherited }: CredentialState, now: Date): SecretView[] {
  return workingSecrets(secrets, inherited, now).live.map((secret) => ({
    id: secret.id,
    createdAt: secret.createdAt.toISOString(),
    expiresAt: text(endOfSecret(secret, inherited)),
    lastUsedAt: text(secret.lastUsedAt),
  }));
}

function text(time: Date | null | undefined): string | null {
  return time?.toISOString() ?? null;
}
