import type { JWTPayload } from 'jose';
import type { Config } from '#config';
import { ROLES } from '#kernel';
import type { Role } from '#kernel';

/** Valid subjects (OpenID Connect Core 1.0, 2: `sub` has at most 255 ASCII characters). */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
const MAX_USERNAME_LENGTH = 255;

/** The claims of a person, as the OpenID Connect provider signed them. */
export type PersonClaims = JWTPayload & { readonly sub: string };

/** A person as the claims describe them. */
export interface ClaimedPerson {
  readonly subject: string;
  readonly username: string;
  readonly roles: readonly Role[];
  readonly operationIds: readonly string[];
  /** The operations to which the role mapping limits an auditor; undefined without a limit. */
  readonly auditedOperationIds: readonly string[] | undefined;
  readonly issuedAt: Date | undefined;
}

type OidcConfig = NonNullable<Config['oidc']>;

/**
 * Reads the claims as configured. Ignores unknown roles.
 *
 * @returns undefined if the subject is invalid
 */
export function claimedPerson(claims: PersonClaims, oidc: OidcConfig): ClaimedPerson | undefined {
  if (!SUBJECT.test(claims.sub)) return undefined;
  const values = texts(claimAt(claims, oidc.rolesClaim));
  const operationIds = texts(claimAt(claims, oidc.operationsClaim));
  const mapped = oidc.roleMapping === undefined ? byName(values) : byMapping(values, oidc.roleMapping);
  return {
    subject: claims.sub,
    username: usernameOf(claims),
    ...mapped,
    operationIds: [...new Set([...mapped.operationIds, ...operationIds])],
    issuedAt: typeof claims.iat === 'number' ? new Date(claims.iat * 1_000) : undefined,
  };
}

/** Whether the claims include the one with the roles. */
export function hasRolesClaim(claims: JWTPayload, oidc: OidcConfig): boolean {
  return claimAt(claims, oidc.rolesClaim) !== undefined;
}

type MappedRights = Pick<ClaimedPerson, 'roles' | 'operationIds' | 'auditedOperationIds'>;

function byName(values: readonly string[]): MappedRights {
  return { roles: ROLES.filter((role) => values.includes(role)), operationIds: [], auditedOperationIds: undefined };
}

/** Applies OIDC_ROLE_MAPPING. A value that it does not name grants nothing. */
function byMapping(values: readonly string[], mapping: NonNullable<OidcConfig['roleMapping']>): MappedRights {
  const granted = [...new Set(values)].flatMap((value) => {
    const grant = mapping.get(value);
    return grant === undefined ? [] : [grant];
  });
  const idsOf = (role: Role): string[] =>
    granted.filter((grant) => grant.role === role).flatMap((grant) => grant.operationIds ?? []);
  const auditor = granted.filter(({ role }) => role === 'auditor');
  const isNarrowed = auditor.length > 0 && auditor.every((grant) => grant.operationIds !== undefined);
  return {
    roles: ROLES.filter((role) => granted.some((grant) => grant.role === role)),
    operationIds: idsOf('operation-admin'),
    auditedOperationIds: isNarrowed ? [...new Set(idsOf('auditor'))] : undefined,
  };
}

function usernameOf(claims: PersonClaims): string {
  const name = claims['preferred_username'] ?? claims['email'];
  return typeof name === 'string' && name !== '' && name.length <= MAX_USERNAME_LENGTH ? name : claims.sub;
}

/** The claim of this name. If there is none, the name is a path (Keycloak has `realm_access.roles`). */
function claimAt(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string, unknown>)[part];
  }, claims);
}

/** The texts of a claim: a list, or one text with spaces between them. */
function texts(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((text) => text !== '');
  return Array.isArray(claim) ? claim.filter((entry): entry is string => typeof entry === 'string') : [];
}
