import { readFileSync } from 'node:fs';
import type { RedisAddress } from './redis-url.ts';

/** The settings of the connection to Redis. */
export interface RedisConfig extends Omit<RedisAddress, 'tls'> {
  /** Undefined without TLS. Without a `ca`, the certificates of Node.js are trusted. */
  readonly tls: RedisTls | undefined;
  /** Credentials for the Sentinels, which have their own users. */
  readonly sentinel: { readonly username: string | undefined; readonly password: string | undefined };
}

export interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** REDIS_URL and the variables that belong to it. */
interface RedisVariables {
  readonly REDIS_URL: RedisAddress;
  readonly REDIS_TLS_CA_FILE?: string | undefined;
  readonly REDIS_TLS_CERT_FILE?: string | undefined;
  readonly REDIS_TLS_KEY_FILE?: string | undefined;
  readonly REDIS_SENTINEL_USERNAME?: string | undefined;
  readonly REDIS_SENTINEL_PASSWORD?: string | undefined;
}

export function toRedisConfig(env: RedisVariables): RedisConfig {
  const { tls, ...address } = env.REDIS_URL;
  const files = { ca: env.REDIS_TLS_CA_FILE, cert: env.REDIS_TLS_CERT_FILE, key: env.REDIS_TLS_KEY_FILE };
  const given = Object.fromEntries(Object.entries(files).filter(([, content]) => content !== undefined));
  return {
    ...address,
    tls: tls ? given : undefined,
    sentinel: { username: env.REDIS_SENTINEL_USERNAME, password: env.REDIS_SENTINEL_PASSWORD },
  };
}

/** Reads a file named by a setting. @throws Error that names the setting and the reason */
export function readSettingFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unreadable';
    throw new Error(`${name} cannot be read (${code}). Name a readable file`, { cause: error });
  }
}
