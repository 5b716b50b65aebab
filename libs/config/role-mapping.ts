import { z } from 'zod';
import { ROLES } from '#kernel';

const ADVICE =
  'OIDC_ROLE_MAPPING must be a JSON object such as {"latchkey-admins": {"role": "platform-admin"}, "billing": {"role": "operation-admin", "operationIds": ["op_…"]}}';

const grant = z.strictObject({
  role: z.enum(ROLES),
  operationIds: z.array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)).optional(),
});

/** What one value of the roles claim gives. */
export type RoleGrant = z.output<typeof grant>;

/** By the values of the claim. @throws Error that says what it may be */
export function parseRoleMapping(text: string): ReadonlyMap<string, RoleGrant> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error(ADVICE);
  }
  const result = z.record(z.string().min(1), grant).safeParse(parsed);
  if (!result.success) {
    const [member = '', ...rest] = (result.error.issues[0]?.path ?? []).map(String);
    throw new Error(member === '' ? ADVICE : `${ADVICE}; ${[`"${member}"`, ...rest].join(' ')} is not`);
  }
  const narrow = Object.entries(result.data).find(
    ([, { role, operationIds }]) => role === 'platform-admin' && operationIds,
  );
  if (narrow !== undefined)
    throw new Error(`OIDC_ROLE_MAPPING: "${narrow[0]}" is platform-admin, which no operationIds narrow`);
  return new Map(Object.entries(result.data));
}
