import type { DomainEventData } from '#kernel';

/** What administrators set. Names are normalised and addresses canonical; API keys are known, in the order in which they were sent. */
export interface CredentialAttributes {
  readonly name: string;
  readonly description: string;
  /** The person or team that answers for it. */
  readonly owner: string | null;
  /** Email address of the owner. */
  readonly contact: string | null;
  /** Its own words for finding it, sorted by key. */
  readonly labels: Readonly<Record<string, string>>;
  readonly apis: readonly string[];
  readonly allowedIps: readonly string[];
  readonly status: 'active' | 'disabled';
  readonly expiresAt: Date | null;
  readonly tokenTtlSeconds: number;
  readonly tokenLimitPolicy: 'reject' | 'evict_oldest';
}

export type CredentialChanges = { readonly [K in keyof CredentialAttributes]?: CredentialAttributes[K] | undefined };

const attributeNames = [
  'name',
  'description',
  'owner',
  'contact',
  'labels',
  'apis',
  'allowedIps',
  'status',
  'expiresAt',
  'tokenTtlSeconds',
  'tokenLimitPolicy',
] as const satisfies readonly (keyof CredentialAttributes)[];

/** The attributes that are given, as event data: in a fixed order, times as text. */
export function describeChanges(changes: CredentialChanges): DomainEventData {
  return Object.fromEntries(
    attributeNames
      .filter((name) => changes[name] !== undefined)
      .map((name) => {
        const value = changes[name] ?? null;
        return [name, value instanceof Date ? value.toISOString() : value];
      }),
  );
}
