import { SecretSet } from '#kernel';
import type { OperationRules, StoredSecret } from '#kernel';

/**
 * The rules that a credential inherits from its operation. The transaction that changes them copies them to each
 * credential, so that a token or sign-in is judged by one read (docs/adr/0035-rules-of-the-operation.md).
 */
export interface InheritedRules {
  readonly suspended: boolean;
  readonly maxSecretAgeDays: number | null;
  /** Secrets exempt from the maximum age, because they existed when it was set with `enforce: "new"`. */
  readonly exemptSecretIds: readonly string[];
}

/** The rules of an active operation without a policy. */
export const NO_RULES: InheritedRules = { suspended: false, maxSecretAgeDays: null, exemptSecretIds: [] };

export const DAY_MS = 86_400_000;

/** When the secret ends, by its own expiry or by the maximum age; null if never. */
export function endOfSecret(
  { id, createdAt, expiresAt }: Pick<StoredSecret, 'id' | 'createdAt' | 'expiresAt'>,
  { maxSecretAgeDays, exemptSecretIds }: InheritedRules,
): Date | null {
  if (maxSecretAgeDays === null || exemptSecretIds.includes(id)) return expiresAt;
  const tooOldAt = new Date(createdAt.getTime() + maxSecretAgeDays * DAY_MS);
  return expiresAt === null || tooOldAt < expiresAt ? tooOldAt : expiresAt;
}

/** The secrets that are valid at that moment, with their own expiry. */
export function workingSecrets(secrets: readonly StoredSecret[], rules: InheritedRules, at: Date): SecretSet {
  const working = secrets.filter((secret) => {
    const end = endOfSecret(secret, rules);
    return end === null || at < end;
  });
  return new SecretSet(working, at);
}

/**
 * The rules of the operation for a credential, after a change. An exemption lasts until the maximum age is changed.
 *
 * @param newOnly whether a new maximum age applies only to later secrets
 */
export function inheritedFrom(
  { status, policy: { maxSecretAgeDays } }: Pick<OperationRules, 'status' | 'policy'>,
  { secrets, inherited }: { readonly secrets: readonly StoredSecret[]; readonly inherited: InheritedRules },
  { at, newOnly }: { readonly at: Date; readonly newOnly: boolean },
): InheritedRules {
  const suspended = status === 'suspended';
  if (maxSecretAgeDays === inherited.maxSecretAgeDays) return { ...inherited, suspended };
  const isExempting = newOnly && maxSecretAgeDays !== null;
  const exemptSecretIds = isExempting ? workingSecrets(secrets, inherited, at).live.map(({ id }) => id) : [];
  return { suspended, maxSecretAgeDays, exemptSecretIds };
}
