import { parseAllowedIp, widestPrefix } from '#kernel';
import type { FieldFault, OperationPolicy, OperationRules, StoredSecret } from '#kernel';
import type { CredentialAttributes, CredentialChanges } from './credential-changes.ts';
import { DAY_MS, endOfSecret, workingSecrets } from './inherited-rules.ts';
import type { InheritedRules } from './inherited-rules.ts';

export type PolicyRule = 'requireAllowedIps' | keyof OperationPolicy;

/** That a credential breaks a rule. */
export interface PolicyViolation {
  readonly credentialId: string;
  readonly name: string;
  readonly rule: PolicyRule;
}

/**
 * A fault of a write. The codes of a policy's faults are in the pointer's error; only the first is a code of its own.
 */
type PolicyFault = FieldFault & {
  readonly code: 'allowed-ips-required' | 'range-too-wide' | 'owner-required' | 'expiry-required' | 'expiry-too-far';
};

/** What the rules look at. */
export interface PolicySubject extends CredentialAttributes {
  readonly id: string;
  readonly secrets: readonly StoredSecret[];
  readonly inherited: InheritedRules;
}

type Demands = Pick<OperationRules, 'requireAllowedIps' | 'policy'>;

interface Rule {
  /**
   * What is wrong with attributes that are written; undefined also where the rule looks at none of those that are
   * given.
   */
  readonly faultOf: (demands: Demands, written: CredentialChanges, at: Date) => PolicyFault | undefined;
  /** Whether an existing credential breaks it; what a write would be refused for, when left out. */
  readonly isBroken?: (demands: Demands, credential: PolicySubject, at: Date) => boolean;
  /** Whether new demands break what works now; broken then and not before, when left out. */
  readonly isNewlyBroken?: (after: Demands, credential: PolicySubject, at: Date) => boolean;
}

const MEMBERS: Readonly<Record<PolicyRule, StandingViolation['member']>> = {
  requireAllowedIps: 'allowedIps',
  widestIpv4Prefix: 'allowedIps',
  widestIpv6Prefix: 'allowedIps',
  maxSecretAgeDays: 'secrets',
  maxCredentialDays: 'expiresAt',
  requireOwner: 'owner',
  requireExpiry: 'expiresAt',
};

const ADDRESSES_REQUIRED: PolicyFault = {
  pointer: '/allowedIps',
  code: 'allowed-ips-required',
  message: 'Give at least one address or range.',
};

const rules: Readonly<Record<PolicyRule, Rule>> = {
  requireAllowedIps: {
    faultOf: ({ requireAllowedIps }, { allowedIps }) =>
      requireAllowedIps && allowedIps?.length === 0 ? ADDRESSES_REQUIRED : undefined,
  },
  widestIpv4Prefix: {
    faultOf: ({ policy: { widestIpv4Prefix } }, { allowedIps }) => rangeFault(allowedIps, 4, widestIpv4Prefix),
  },
  widestIpv6Prefix: {
    faultOf: ({ policy: { widestIpv6Prefix } }, { allowedIps }) => rangeFault(allowedIps, 6, widestIpv6Prefix),
  },
  maxSecretAgeDays: {
    faultOf: () => undefined, // a new secret has no age
    // an older secret is on its way out already
    isBroken: ({ policy: { maxSecretAgeDays } }, { secrets, inherited }, at) =>
      workingSecrets(secrets, { ...inherited, maxSecretAgeDays: null }, at)
        .live.slice(0, 1)
        .some((secret) => isTooOld(secret, maxSecretAgeDays, at)),
    isNewlyBroken: ({ policy: { maxSecretAgeDays } }, { secrets, inherited }, at) =>
      maxSecretAgeDays !== inherited.maxSecretAgeDays &&
      workingSecrets(secrets, inherited, at).live.some((secret) => isTooOld(secret, maxSecretAgeDays, at)),
  },
  maxCredentialDays: { faultOf: expiryFault },
  requireOwner: {
    faultOf: ({ policy: { requireOwner } }, { owner }) =>
      requireOwner === true && owner === null
        ? { pointer: '/owner', code: 'owner-required', message: 'Say which person or team answers for it.' }
        : undefined,
  },
  requireExpiry: {
    faultOf: ({ policy: { requireExpiry } }, { expiresAt }) =>
      requireExpiry === true && expiresAt === null
        ? { pointer: '/expiresAt', code: 'expiry-required', message: 'Give the time when it expires.' }
        : undefined,
  },
};

const entries = Object.entries(rules) as [PolicyRule, Rule][];

/** The rules that what is written breaks, as faults of the request: one a member and code. */
export function brokenRules(demands: Demands, written: CredentialChanges, at: Date): PolicyFault[] {
  const faults = entries.flatMap(([, { faultOf }]) => faultOf(demands, written, at) ?? []);
  return faults.filter(({ pointer }, index) => faults.findIndex((other) => other.pointer === pointer) === index);
}

/** A rule that a credential breaks by the way it is now, and the member that another value would mend. */
export interface StandingViolation {
  readonly rule: PolicyRule;
  readonly member: 'allowedIps' | 'expiresAt' | 'owner' | 'secrets';
}

/** The rules that an existing credential breaks, one a member: another value mends them together. */
export function standingViolations(demands: Demands, credential: PolicySubject, at: Date): StandingViolation[] {
  const broken = entries.flatMap(([rule, { isBroken = isRefused(rule) }]) =>
    isBroken(demands, credential, at) ? [{ rule, member: MEMBERS[rule] }] : [],
  );
  return broken.filter(({ member }, index) => broken.findIndex((other) => other.member === member) === index);
}

/** What existing credentials break of the demands `after` that they did not break of those `before`. */
export function newViolations(
  before: Demands,
  after: Demands,
  credentials: readonly PolicySubject[],
  at: Date,
): PolicyViolation[] {
  return entries.flatMap(([rule, { isNewlyBroken, isBroken = isRefused(rule) }]) =>
    credentials
      .filter((credential) =>
        isNewlyBroken === undefined
          ? isBroken(after, credential, at) && !isBroken(before, credential, at)
          : isNewlyBroken(after, credential, at),
      )
      .map(({ id, name }) => ({ credentialId: id, name, rule })),
  );
}

function isRefused(rule: PolicyRule): NonNullable<Rule['isBroken']> {
  return (demands, credential, at) => rules[rule].faultOf(demands, credential, at) !== undefined;
}

function isTooOld(secret: StoredSecret, maxSecretAgeDays: number | null, at: Date): boolean {
  const end = endOfSecret({ ...secret, expiresAt: null }, { suspended: false, maxSecretAgeDays, exemptSecretIds: [] });
  return end !== null && end <= at;
}

/** An empty list is every address, which is wider than any range. */
function rangeFault(
  allowedIps: readonly string[] | undefined,
  family: 4 | 6,
  widest: number | null,
): PolicyFault | undefined {
  if (allowedIps === undefined || widest === null) return undefined;
  if (allowedIps.length === 0) return ADDRESSES_REQUIRED;
  const prefix = widestPrefix(allowedIps.map(parseAllowedIp), family);
  if (prefix === undefined || prefix >= widest) return undefined;
  const message = `The operation takes no IPv${family} range wider than /${widest}. Ranges that make up a wider one count as that one.`;
  return { pointer: '/allowedIps', code: 'range-too-wide', message };
}

function expiryFault(
  { policy: { maxCredentialDays } }: Demands,
  { expiresAt }: CredentialChanges,
  at: Date,
): PolicyFault | undefined {
  if (maxCredentialDays === null || expiresAt === undefined) return undefined;
  const latest = new Date(at.getTime() + maxCredentialDays * DAY_MS);
  if (expiresAt !== null && expiresAt <= latest) return undefined;
  const message = `Give a time at most ${maxCredentialDays} days from now.`;
  return { pointer: '/expiresAt', code: expiresAt === null ? 'expiry-required' : 'expiry-too-far', message };
}
