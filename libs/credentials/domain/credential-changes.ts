/**
 * What administrators set. Names are normalised and addresses canonical; API keys are known, in the order in which they
 * were sent.
 */
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

/** The attributes of a credential as event data hold them: times as text. */
export type AttributeData = Omit<CredentialAttributes, 'expiresAt'> & { readonly expiresAt: string | null };

/** All attributes as event data, in a fixed order. */
export function describeAttributes(attributes: CredentialAttributes): AttributeData {
  return {
    name: attributes.name,
    description: attributes.description,
    owner: attributes.owner,
    contact: attributes.contact,
    labels: attributes.labels,
    apis: attributes.apis,
    allowedIps: attributes.allowedIps,
    status: attributes.status,
    expiresAt: attributes.expiresAt?.toISOString() ?? null,
    tokenTtlSeconds: attributes.tokenTtlSeconds,
    tokenLimitPolicy: attributes.tokenLimitPolicy,
  };
}
