import { NO_POLICY } from '#kernel';
import type { OperationPolicy, OperationRules } from '#kernel';

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
