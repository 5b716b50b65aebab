import { DomainError } from '#kernel';
import type { OperationRules } from '#kernel';

type Entitlement = Pick<OperationRules, 'entitledApis'>;

/**
 * @param keys that are to be granted; null for an entry that is no key, which another check refuses
 * @param member of the request that holds them
 * @throws DomainError `api-not-entitled` that names `/<member>/<index>` of each that the operation may not be granted
 */
export function checkEntitlement(
  keys: readonly (string | null)[],
  member: 'apis' | 'add',
  { entitledApis }: Entitlement,
): void {
  if (entitledApis === null) return;
  const entitled = new Set(entitledApis);
  const beyond = keys.flatMap((key, index) => (key === null || entitled.has(key) ? [] : [`/${member}/${index}`]));
  if (beyond.length === 0) return;
  const message = 'The operation may not be granted this API.';
  throw new DomainError(
    'api-not-entitled',
    'Take APIs of the API List of the credential, or ask a platform-admin to add them for the operation.',
    { errors: beyond.map((pointer) => ({ pointer, code: 'api-not-entitled', message })) },
  );
}

/** Those of the keys that the operation may not be granted. */
export function beyondEntitlement(keys: readonly string[], { entitledApis }: Entitlement): string[] {
  if (entitledApis === null) return [];
  const entitled = new Set(entitledApis);
  return keys.filter((key) => !entitled.has(key));
}
