import type { OperationPolicy } from '#kernel';

export type PolicyChanges = { readonly [K in keyof OperationPolicy]?: OperationPolicy[K] | undefined };

/** The policy with the given members changed. */
export function changedPolicy(policy: OperationPolicy, changes: PolicyChanges): OperationPolicy {
  const given = Object.fromEntries(
    (Object.entries(changes) as [string, unknown][]).filter(([, value]) => value !== undefined),
  );
  return { ...policy, ...given };
}
