import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreContext } from './context.ts';
import { startMongoDb } from './mongodb.ts';
import { storePasswords } from './passwords.ts';
import type { StorePasswords } from './passwords.ts';
import { StartError } from './processes.ts';
import { startRedis } from './redis.ts';

/** The stores that run, and what they are called. */
export interface LocalStores {
  /** of the administrator, without a database's name; of whoever MONGODB_URI names, where that is set */
  readonly mongodbUri: string;
  readonly redisUrl: string;
  /** of its users; null where MONGODB_URI is set */
  readonly passwords: StorePasswords | null;
}

const CHOICES = `Latchkey needs MongoDB (a replica set) and Redis, and could not start them itself. Choose one:
  - docker compose up            everything in containers
  - install mongod and redis-server (or valkey-server) so that they are on PATH, and try again
  - set MONGODB_URI and REDIS_URL to stores that run already
  - on Debian, run this as root: the stores are then installed from Debian packages`;

/**
 * Makes sure that both stores run: those that MONGODB_URI and REDIS_URL name, else what is on PATH, else what can be
 * fetched or installed. What is started is noted in the ledger, which ends it.
 * @param context see there
 * @param env where the URIs may be set
 * @returns where the stores are
 * @throws StartError naming the choices if there is no way
 */
export async function startStores(context: StoreContext, env: NodeJS.ProcessEnv): Promise<LocalStores> {
  mkdirSync(context.dataFolder, { recursive: true });
  try {
    // one after the other: both may have to install packages
    const redisUrl = named(env, 'REDIS_URL') ?? (await startRedis(context));
    sayWhich(context, 'Redis', 'REDIS_URL', env);
    const mongodbUri = named(env, 'MONGODB_URI');
    const stores =
      mongodbUri === null
        ? { mongodbUri: await startMongoDb(context), redisUrl, passwords: storePasswords(context.dataFolder) }
        : { mongodbUri, redisUrl, passwords: null };
    sayWhich(context, 'MongoDB', 'MONGODB_URI', env);
    return stores;
  } catch (error) {
    await context.ledger.close();
    if (error instanceof StartError) throw new StartError(`${error.message}\n\n${CHOICES}`);
    throw error;
  }
}

/** So that nobody wonders whose data they see. Never the URI: it may hold a password. */
function sayWhich({ durable, say }: StoreContext, store: string, variable: string, env: NodeJS.ProcessEnv): void {
  if (named(env, variable) !== null) say(`${store}: the one that ${variable} names`);
  else if (durable) say(`${store}: started here, since ${variable} is not set`);
}

/** A variable's value; an empty one is none. */
function named(env: NodeJS.ProcessEnv, variable: string): string | null {
  const value = env[variable];
  return value === undefined || value === '' ? null : value;
}

/** A `mongodb://` URI with the name of a database put in, unless it has one. */
export function withDatabase(uri: string, name: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?(?=\?|$)/, `$1/${name}`);
}

/** The ledger's place in a folder. */
export function ledgerFile(folder: string): string {
  return join(folder, 'running.json');
}
