import { readSettingFile } from './redis-config.ts';

/** Variables that hold a secret. Each may be given as `X_FILE` instead: the path of a file with its value. */
export const SECRET_VARIABLES = [
  'MONGODB_URI',
  'MIGRATION_MONGODB_URI',
  'EVENT_RETENTION_MONGODB_URI',
  'REDIS_URL',
  'REDIS_SENTINEL_PASSWORD',
  'LATCHKEY_ADMIN_PASSWORD',
  'OIDC_CLIENT_SECRET',
] as const;

export interface ResolvedVariables {
  readonly set: Readonly<Record<string, string>>;
  readonly faults: readonly string[];
  /** Variables whose file was of no use: that they are missing is no fault of its own. */
  readonly unread: ReadonlySet<string>;
}

/** The variables with those that files hold. A line break at the end of a file is not part of the secret. */
export function withSecretFiles(given: Readonly<Record<string, string>>): ResolvedVariables {
  const set: Record<string, string> = { ...given };
  const faults: string[] = [];
  const unread = new Set<string>();
  for (const name of SECRET_VARIABLES) {
    const path = given[`${name}_FILE`];
    if (path === undefined) continue;
    try {
      set[name] = secretOf(name, path, given[name] !== undefined);
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
      unread.add(name);
    }
  }
  return { set, faults, unread };
}

function secretOf(name: string, path: string, isSetTwice: boolean): string {
  const variable = `${name}_FILE`;
  if (isSetTwice) throw new Error(`${name} and ${variable} are both set: give one of them`);
  const secret = readSettingFile(variable, path).replace(/\r?\n$/, '');
  if (secret === '') throw new Error(`${variable} names an empty file: write the value of ${name} into it`);
  return secret;
}
