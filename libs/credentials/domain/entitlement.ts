import { DomainError } from '#kernel';
import type { OperationRules } from '#kernel';

type Entitlement = Pick<OperationRules, 'entitledApis'>;

/**
 * @param keys the keys to grant; null for an entry that is not a key, which another check refuses
 * @param member the member of the request that contains them
 * @throws DomainError `api-not-entitled` that names `/<member>/<index>` of each key that the operation may not use
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
  const message = 'The operation may not use this API.';
  throw new DomainError(
    'api-not-entitled',
    'Choose APIs from the API List of the credential, or ask a platform-admin to allow them for the operation.',
    { errors: beyond.map((pointer) => ({ pointer, code: 'api-not-entitled', message })) },
  );
}

/** The keys that the operation may not use. */
export function beyondEntitlement(keys: readonly string[], { entitledApis }: Entitlement): string[] {
  if (entitledApis === null) return [];
  const entitled = new Set(entitledApis);
  return keys.filter((key) => !entitled.has(key));
}
