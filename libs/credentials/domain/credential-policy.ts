import type { FieldFault } from '#kernel';

/** What an operation demands of its credentials. */
export interface CredentialPolicy {
  /** Whether each must name the addresses that it may be used from. */
  readonly requireAllowedIps: boolean;
}

/** What the rules look at. */
export interface PolicySubject {
  readonly id: string;
  readonly name: string;
  readonly allowedIps: readonly string[];
}

export type PolicyRule = keyof CredentialPolicy;

/** That a credential breaks a rule. */
export interface PolicyViolation {
  readonly credentialId: string;
  readonly name: string;
  readonly rule: PolicyRule;
}

interface Rule {
  readonly isBroken: (policy: CredentialPolicy, subject: Pick<PolicySubject, 'allowedIps'>) => boolean;
  /** The fault of a request that writes a credential which breaks it. */
  readonly fault: FieldFault & { readonly code: 'allowed-ips-required' };
}

const rules: Readonly<Record<PolicyRule, Rule>> = {
  requireAllowedIps: {
    isBroken: ({ requireAllowedIps }, { allowedIps }) => requireAllowedIps && allowedIps.length === 0,
    fault: { pointer: '/allowedIps', code: 'allowed-ips-required', message: 'Give at least one address or range.' },
  },
};

/** The rules that the credential breaks, as faults of the request that writes it. */
export function brokenRules(policy: CredentialPolicy, subject: Pick<PolicySubject, 'allowedIps'>): Rule['fault'][] {
  return Object.values(rules)
    .filter((rule) => rule.isBroken(policy, subject))
    .map(({ fault }) => fault);
}

/** What existing credentials break of the rules that `after` has and `before` had not. */
export function newViolations(
  before: CredentialPolicy,
  after: CredentialPolicy,
  credentials: readonly PolicySubject[],
): PolicyViolation[] {
  return (Object.entries(rules) as [PolicyRule, Rule][]).flatMap(([rule, { isBroken }]) =>
    credentials
      .filter((credential) => isBroken(after, credential) && !isBroken(before, credential))
      .map(({ id, name }) => ({ credentialId: id, name, rule })),
  );
}
