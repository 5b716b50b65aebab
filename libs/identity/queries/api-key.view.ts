import type { ApiKeyState } from '../domain/api-key.ts';

/** An API key as the API shows it, without the key itself. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly expiresAt: string | null;
  readonly allowedIps: readonly string[];
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  /** A key never changes. */
  readonly version: 1;
}

export function apiKeyView({ id, name, expiresAt, allowedIps, createdAt, lastUsedAt }: ApiKeyState): ApiKeyView {
  return {
    id,
    name,
    expiresAt: expiresAt?.toISOString() ?? null,
    allowedIps: [...allowedIps],
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    version: 1,
  };
}
