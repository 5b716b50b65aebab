import { SecretSet } from '#kernel';
import type { OperationRules, StoredSecret } from '#kernel';

/**
 * What a credential takes over from its operation, kept with it by the transaction that changes it there: the one read
 * that decides about a token or a sign-in then shows it too (docs/adr/0035-rules-of-the-operation.md).
 */
export interface InheritedRules {
  readonly suspended: boolean;
  readonly maxSecretAgeDays: number | null;
  /** Secrets that worked when a maximum age was set by `enforce: "new"`: it is not for them. */
  readonly exemptSecretIds: readonly string[];
}

/** Those of an operation that is active and has no policy. */
export const NO_RULES: InheritedRules = { suspended: false, maxSecretAgeDays: null, exemptSecretIds: [] };

export const DAY_MS = 86_400_000;

/** When the secret stops signing in: by its own end, or because it is too old. null: never. */
export function endOfSecret(
  { id, createdAt, expiresAt }: Pick<StoredSecret, 'id' | 'createdAt' | 'expiresAt'>,
  { maxSecretAgeDays, exemptSecretIds }: InheritedRules,
): Date | null {
  if (maxSecretAgeDays === null || exemptSecretIds.includes(id)) return expiresAt;
  const tooOldAt = new Date(createdAt.getTime() + maxSecretAgeDays * DAY_MS);
  return expiresAt === null || tooOldAt < expiresAt ? tooOldAt : expiresAt;
}

/** The secrets that sign in at that moment, with the ends that they have of their own. */
export function workingSecrets(secrets: readonly StoredSecret[], rules: InheritedRules, at: Date): SecretSet {
  const working = secrets.filter((secret) => {
    const end = endOfSecret(secret, rules);
    return end === null || at < end;
  });
  return new SecretSet(working, at);
}

/**
 * The rules of the operation for a credential that follows it from now on. An exemption lasts until the maximum age is
 * changed.
 *
 * @param newOnly whether a new maximum age is for secrets that are made from now on
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
