import { constants, accessSync, statSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { parseTrustedProxies } from '#kernel';
import { checkedPublicUrl, localUrl } from './public-url.ts';
import { connectionStringFaults } from './connection-string.ts';
import { readSettingFile, toRedisConfig } from './redis-config.ts';
import { parseRedisUrl } from './redis-url.ts';
import { parseRoleMapping } from './role-mapping.ts';
import { withSecretFiles } from './secret-files.ts';

/** The longest life of a session that can be configured. */
export const MAX_SESSION_HOURS = 720;

const optional = <T extends z.ZodType>(schema: T): z.ZodOptional<T> => schema.optional();
const wholeNumber = (name: string, min: number, max: number): z.ZodType<number> =>
  z
    .string()
    .regex(/^\d{1,9}$/, `${name} must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `${name} must be a whole number from ${min} to ${max}`);
export const url = (name: string, protocols: readonly string[]): z.ZodType<string> =>
  z.string().refine(
    (text) => {
      const protocol = URL.canParse(text) ? new URL(text).protocol : /^[a-z+]+:/.exec(text)?.[0];
      return protocol !== undefined && protocols.includes(protocol);
    },
    `${name} must be a URL that starts with ${protocols.join('// or ')}//`,
  );

/** OpenID Connect Discovery 1.0, 3: an issuer is an https URL. Plain http is accepted on loopback only. */
function isSafeIssuer(text: string): boolean {
  if (!URL.canParse(text)) return true; // `url` reports it
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

const mongodbUri = (name: string): z.ZodType<string> =>
  url(name, ['mongodb:', 'mongodb+srv:']).superRefine((text, context) => {
    for (const message of connectionStringFaults(name, text)) context.addIssue({ code: 'custom', message });
  });

function reportFault<T>(context: z.RefinementCtx, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is not valid' });
    return z.NEVER;
  }
}

function readSigningKey(path: string): KeyObject {
  const pem = readSettingFile('LATCHKEY_SIGNING_KEY_FILE', path);
  const advice =
    'LATCHKEY_SIGNING_KEY_FILE must hold an Ed25519 private key as PKCS#8 PEM (openssl genpkey -algorithm ed25519)';
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error(advice);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(advice);
  return key;
}

function writableFolder(name: string, path: string): string {
  const advice = `${name} must be a folder that the service may write to`;
  try {
    if (!statSync(path).isDirectory()) throw new Error(advice);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Error(advice);
  }
  return path;
}

const folder = (name: string): z.ZodOptional<z.ZodType<string>> =>
  optional(z.string().transform((path, context) => reportFault(context, () => writableFolder(name, path))));

const file = (name: string): z.ZodOptional<z.ZodType<string>> =>
  optional(z.string().transform((path, context) => reportFault(context, () => readSettingFile(name, path))));

/** All environment variables of the service. */
export const schema = z.object({
  PORT: wholeNumber('PORT', 0, 65_535).default(3000),
  HOST: z.string().min(1).default('127.0.0.1'),
  PUBLIC_URL: optional(
    url('PUBLIC_URL', ['http:', 'https:'])
      .refine(
        (text) => !/[?#]/.test(text),
        'PUBLIC_URL is the issuer, so it must not have a query or a fragment (RFC 8414 2)',
      )
      .refine((text) => !/^[^/]*\/\/[^/]*@/.test(text), 'PUBLIC_URL must not contain a user name or password')
      .transform((text, context) => reportFault(context, () => checkedPublicUrl(text))),
  ),
  MONGODB_URI: mongodbUri('MONGODB_URI'),
  REDIS_URL: z.string().transform((text, context) => reportFault(context, () => parseRedisUrl(text))),
  REDIS_TLS_CA_FILE: file('REDIS_TLS_CA_FILE'),
  REDIS_TLS_CERT_FILE: file('REDIS_TLS_CERT_FILE'),
  REDIS_TLS_KEY_FILE: file('REDIS_TLS_KEY_FILE'),
  REDIS_SENTINEL_USERNAME: optional(z.string()),
  REDIS_SENTINEL_PASSWORD: optional(z.string()),
  LATCHKEY_ROLE: z.enum(['all', 'http', 'worker'], 'LATCHKEY_ROLE must be all, http or worker').default('all'),
  TRUSTED_PROXIES: z
    .string()
    .default('')
    .transform((text, context) => reportFault(context, () => parseTrustedProxies(text))),
  LATCHKEY_ADMIN_USERNAME: optional(
    z
      .string()
      .regex(
        /^[A-Za-z0-9._@-]{1,64}$/,
        'LATCHKEY_ADMIN_USERNAME must have 1 to 64 of the characters A-Z a-z 0-9 . _ @ -',
      ),
  ),
  LATCHKEY_ADMIN_PASSWORD: optional(
    z
      .string()
      .min(12, 'LATCHKEY_ADMIN_PASSWORD must have at least 12 characters')
      .max(256, 'LATCHKEY_ADMIN_PASSWORD must have at most 256 characters'),
  ),
  OIDC_ISSUER: optional(
    url('OIDC_ISSUER', ['http:', 'https:']).refine(
      isSafeIssuer,
      'OIDC_ISSUER must start with https:// (http:// only for an issuer on this machine), because its keys sign people in',
    ),
  ),
  OIDC_AUDIENCE: optional(z.string().min(1)),
  OIDC_ROLES_CLAIM: z.string().min(1).default('roles'),
  OIDC_OPERATIONS_CLAIM: z.string().min(1).default('operations'),
  OIDC_CLIENT_ID: optional(z.string().min(1)),
  OIDC_CLIENT_SECRET: optional(z.string().min(1)),
  OIDC_SCOPES: z
    .string()
    .regex(
      /^openid(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
      'OIDC_SCOPES must be scope values with spaces between them, openid first',
    )
    .default('openid profile email'),
  OIDC_ROLE_MAPPING: optional(
    z.string().transform((text, context) => reportFault(context, () => parseRoleMapping(text))),
  ),
  LATCHKEY_SIGNING_KEY_FILE: optional(
    z.string().transform((path, context) => reportFault(context, () => readSigningKey(path))),
  ),
  EVENT_RETENTION_DAYS: optional(wholeNumber('EVENT_RETENTION_DAYS', 1, 36_500)),
  EVENT_ARCHIVE_DIR: folder('EVENT_ARCHIVE_DIR'),
  LATCHKEY_TOMBSTONE_DIR: folder('LATCHKEY_TOMBSTONE_DIR'),
  EVENT_RETENTION_MONGODB_URI: optional(mongodbUri('EVENT_RETENTION_MONGODB_URI')),
  LATCHKEY_LEASE_MS: wholeNumber('LATCHKEY_LEASE_MS', 0, 250).default(250),
  CONNECTION_LIMIT: wholeNumber('CONNECTION_LIMIT', 1, 1_000_000).default(10_000),
  CONNECTION_LIMIT_PER_ADDRESS: wholeNumber('CONNECTION_LIMIT_PER_ADDRESS', 1, 1_000_000).default(2_000),
  LATCHKEY_RIGHTS_VERSION: z.enum(['on', 'off'], 'LATCHKEY_RIGHTS_VERSION must be on or off').default('on'),
  GUESS_LIMIT_PER_CLIENT: wholeNumber('GUESS_LIMIT_PER_CLIENT', 1, 1_000_000).default(20),
  GUESS_LIMIT_PER_ADDRESS: wholeNumber('GUESS_LIMIT_PER_ADDRESS', 1, 1_000_000).default(200),
  SESSION_IDLE_MINUTES: wholeNumber('SESSION_IDLE_MINUTES', 1, 1_440).default(30),
  SESSION_MAX_HOURS: wholeNumber('SESSION_MAX_HOURS', 1, MAX_SESSION_HOURS).default(12),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'LOG_LEVEL must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
});

/** The validated settings of the service, read once at start by `loadConfig`. */
export type Config = Readonly<ReturnType<typeof toConfig>>;

/** Lists every fault of the configuration. `main.ts` prints `faults` and exits with 78 (EX_CONFIG). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`The configuration has ${faults.length} fault(s): ${faults.join('; ')}`);
  }
}

function toConfig(env: z.output<typeof schema>) {
  const publicUrl = env.PUBLIC_URL ?? localUrl(env.HOST, env.PORT);
  return {
    port: env.PORT,
    host: env.HOST,
    /** The issuer, without a trailing slash. */
    publicUrl,
    /** The path of the issuer, such as `/auth`; empty if it has no path. */
    publicPath: new URL(publicUrl).pathname.replace(/\/$/, ''),
    mongodbUri: env.MONGODB_URI,
    redis: toRedisConfig(env),
    role: env.LATCHKEY_ROLE,
    trustedProxies: env.TRUSTED_PROXIES,
    firstAdmin:
      env.LATCHKEY_ADMIN_USERNAME !== undefined && env.LATCHKEY_ADMIN_PASSWORD !== undefined
        ? { username: env.LATCHKEY_ADMIN_USERNAME, password: env.LATCHKEY_ADMIN_PASSWORD }
        : undefined,
    oidc:
      env.OIDC_ISSUER !== undefined && env.OIDC_AUDIENCE !== undefined
        ? {
            issuer: env.OIDC_ISSUER,
            audience: env.OIDC_AUDIENCE,
            rolesClaim: env.OIDC_ROLES_CLAIM,
            operationsClaim: env.OIDC_OPERATIONS_CLAIM,
            /** By the values of the roles claim; undefined where they are the names of roles. */
            roleMapping: env.OIDC_ROLE_MAPPING,
            /** For signing in at the provider with a browser. */
            client:
              env.OIDC_CLIENT_ID !== undefined && env.OIDC_CLIENT_SECRET !== undefined
                ? { clientId: env.OIDC_CLIENT_ID, clientSecret: env.OIDC_CLIENT_SECRET, scopes: env.OIDC_SCOPES }
                : undefined,
          }
        : undefined,
    signingKey: env.LATCHKEY_SIGNING_KEY_FILE,
    retention:
      env.EVENT_RETENTION_DAYS !== undefined && env.EVENT_ARCHIVE_DIR !== undefined
        ? {
            days: env.EVENT_RETENTION_DAYS,
            archiveFolder: env.EVENT_ARCHIVE_DIR,
            mongodbUri: env.EVENT_RETENTION_MONGODB_URI,
          }
        : undefined,
    tombstoneFolder: env.LATCHKEY_TOMBSTONE_DIR,
    leaseMs: env.LATCHKEY_LEASE_MS,
    connectionLimits: { inAll: env.CONNECTION_LIMIT, perAddress: env.CONNECTION_LIMIT_PER_ADDRESS },
    rightsVersion: env.LATCHKEY_RIGHTS_VERSION === 'on',
    guessLimits: { perClient: env.GUESS_LIMIT_PER_CLIENT, perAddress: env.GUESS_LIMIT_PER_ADDRESS },
    sessions: { idleMs: env.SESSION_IDLE_MINUTES * 60_000, maxMs: env.SESSION_MAX_HOURS * 3_600_000 },
    logLevel: env.LOG_LEVEL,
  };
}

/** Variables that must be set together. */
const pairs = [
  ['LATCHKEY_ADMIN_USERNAME', 'LATCHKEY_ADMIN_PASSWORD'],
  ['OIDC_ISSUER', 'OIDC_AUDIENCE'],
  ['OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'],
  ['REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'],
  ['EVENT_RETENTION_DAYS', 'EVENT_ARCHIVE_DIR'],
] as const;

/**
 * Reads and checks the configuration.
 *
 * @param env the environment; an empty value counts as not set, because Docker Compose passes unset variables so
 * @throws ConfigError that lists every fault. Never repeats a value, because some are secrets
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { set, faults: fileFaults, unread } = withSecretFiles(withoutEmpty(env));
  const isGiven = (name: string): boolean => set[name] !== undefined || unread.has(name);
  const faults = [
    ...fileFaults,
    ...pairs.filter(([a, b]) => isGiven(a) !== isGiven(b)).map(([a, b]) => `${a} and ${b} must be set together`),
    ...['OIDC_CLIENT_ID', 'OIDC_ROLE_MAPPING']
      .filter((name) => isGiven(name) && !isGiven('OIDC_ISSUER'))
      .map((name) => `${name} is of no use without OIDC_ISSUER`),
  ];
  if (set['PUBLIC_URL'] === undefined && !URL.canParse(localUrl(set['HOST'] ?? 'localhost', 1))) {
    faults.push('PUBLIC_URL is required, because HOST cannot be part of a URL');
  }
  return toConfig(parseVariables(schema, set, faults, unread));
}

/** Drops variables with an empty value, which count as not set. */
export function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}

/** @throws ConfigError with the given faults and those that the schema finds */
export function parseVariables<T extends z.ZodType>(
  variables: T,
  set: Readonly<Record<string, string>>,
  faults: readonly string[] = [],
  unread: ReadonlySet<string> = new Set(),
): z.output<T> {
  const result = variables.safeParse(set);
  if (result.success && faults.length === 0) return result.data;
  const issues = (result.error?.issues ?? []).filter(({ path: [variable] }) => !unread.has(String(variable)));
  const found = issues.map(({ path: [variable], message }) => {
    const name = String(variable);
    if (set[name] === undefined) return `${name} is required`;
    return message.startsWith(name) ? message : `${name}: ${message}`;
  });
  throw new ConfigError([...faults, ...found]);
}
