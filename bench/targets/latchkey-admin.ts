import { setTimeout as pause } from 'node:timers/promises';
import { basic } from '../load/raw-request.ts';
import { eachOf, ensure } from './target.ts';

/** The first platform-admin of the measured service. */
export const ADMIN = { username: 'admin', password: 'correct horse battery staple' } as const;

/** The API that all credentials may call. */
export const API = 'bench.read';

const CREDENTIALS_EACH = 10;
/** Two ranges, so that the address check does real work; the load comes from 127.0.0.1. */
const ALLOWED_IPS = ['10.0.0.0/8', '127.0.0.0/8'];

export interface BenchCredential {
  readonly id: string;
  readonly operationId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface BenchResourceServer {
  readonly id: string;
  readonly secret: string;
}

/** The credentials and servers that a run uses. */
export interface Seed {
  /** Credentials that only issue, in five operations. */
  readonly issuers: readonly BenchCredential[];
  /** Credentials whose ten tokens each are verified, in five other operations. */
  readonly holders: readonly BenchCredential[];
  readonly resourceServers: readonly BenchResourceServer[];
}

async function call(url: string, method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: basic(ADMIN.username, ADMIN.password),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'DELETE' ? { 'if-match': '*' } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  ensure(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** Creates an operation. @returns its id */
export async function createOperation(url: string, name: string): Promise<string> {
  return String((await call(url, 'POST', '/v1/operations', { name }))['id']);
}

/** Creates a credential with the token limit policy `evict_oldest`, so that issuing never stops. */
export async function createCredential(url: string, operationId: string, name: string): Promise<BenchCredential> {
  const wanted = { name, apis: [API], allowedIps: ALLOWED_IPS, tokenLimitPolicy: 'evict_oldest' };
  const { id, clientId, clientSecret } = await call(url, 'POST', `/v1/operations/${operationId}/credentials`, wanted);
  return { id: String(id), operationId, clientId: String(clientId), clientSecret: String(clientSecret) };
}

/** Deletes a credential: its tokens must be refused from the answer on. */
export async function deleteCredential(url: string, { operationId, id }: BenchCredential): Promise<void> {
  await call(url, 'DELETE', `/v1/operations/${operationId}/credentials/${id}`);
}

async function createOperationWithCredentials(url: string, name: string): Promise<BenchCredential[]> {
  const operationId = await createOperation(url, name);
  const names = Array.from({ length: CREDENTIALS_EACH }, (_unused, at) => `${name} ${at}`);
  return eachOf(names, (each) => createCredential(url, operationId, each), 2);
}

/** A ready service may still be creating its first admin, since hashing the password takes a while. */
async function awaitAdmin(url: string): Promise<void> {
  const headers = { authorization: basic(ADMIN.username, ADMIN.password) };
  for (let tries = 1; (await fetch(`${url}/v1/me`, { headers })).status === 401; tries += 1) {
    ensure(tries < 15, 'the first admin cannot sign in');
    await pause(100);
  }
}

/** Creates the API, and a resource server that may introspect its tokens, in an empty service. */
export async function seedResourceServer(url: string): Promise<BenchResourceServer> {
  await seedApi(url);
  return createResourceServer(url, 'one');
}

async function seedApi(url: string): Promise<void> {
  await awaitAdmin(url);
  await call(url, 'POST', '/v1/apis', { key: API, name: 'Benchmark' });
}

async function createResourceServer(url: string, name: string): Promise<BenchResourceServer> {
  const { id, resourceServerSecret } = await call(url, 'POST', '/v1/resource-servers', { name, apis: [API] });
  return { id: String(id), secret: String(resourceServerSecret) };
}

/** Fills an empty service through its admin API. */
export async function seedLatchkey(url: string): Promise<Seed> {
  await seedApi(url);
  const made = async (kind: string): Promise<BenchCredential[]> => {
    const names = Array.from({ length: 5 }, (_unused, at) => `${kind} ${at}`);
    return (await eachOf(names, (name) => createOperationWithCredentials(url, name), 1)).flat();
  };
  const issuers = await made('issuers');
  const holders = await made('holders');
  const names = ['one', 'two', 'three', 'four', 'five'];
  const resourceServers = await eachOf(names, (name) => createResourceServer(url, name));
  return { issuers, holders, resourceServers };
}
