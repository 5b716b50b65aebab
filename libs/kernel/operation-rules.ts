/** What an operation demands of its credentials, beside Allowed IPs. null: it does not. */
export interface OperationPolicy {
  /** The fewest prefix bits of an Allowed IPs range; ranges are judged by their union. */
  readonly widestIpv4Prefix: number | null;
  readonly widestIpv6Prefix: number | null;
  /** A secret that is older no longer signs in. */
  readonly maxSecretAgeDays: number | null;
  /** How far ahead the expiry of a credential may be when it is written. */
  readonly maxCredentialDays: number | null;
  readonly requireOwner: true | null;
  readonly requireExpiry: true | null;
}

/** The policy of an operation that demands nothing. */
export const NO_POLICY: OperationPolicy = {
  widestIpv4Prefix: null,
  widestIpv6Prefix: null,
  maxSecretAgeDays: null,
  maxCredentialDays: null,
  requireOwner: null,
  requireExpiry: null,
};

/** What an operation demands of its credentials, and what it lets them have. */
export interface OperationRules {
  readonly status: 'active' | 'suspended';
  readonly requireAllowedIps: boolean;
  readonly policy: OperationPolicy;
  /** Keys of the APIs that its credentials may be granted, sorted; null: every API of the catalogue. */
  readonly entitledApis: readonly string[] | null;
}
