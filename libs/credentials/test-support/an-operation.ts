import type { OperationPolicy, OperationRules } from '#kernel';

const NO_POLICY: OperationPolicy = {
  widestIpv4Prefix: null,
  widestIpv6Prefix: null,
  maxSecretAgeDays: null,
  maxCredentialDays: null,
  requireOwner: null,
  requireExpiry: null,
};

/** The rules of an operation that is active and demands nothing but what is given. */
export function rulesOf(policy: Partial<OperationPolicy> = {}, rules: Partial<OperationRules> = {}): OperationRules {
  return {
    status: 'active',
    requireAllowedIps: false,
    policy: { ...NO_POLICY, ...policy },
    entitledApis: null,
    ...rules,
  };
}
