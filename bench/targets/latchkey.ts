import { readFileSync } from 'node:fs';
import { migrateDatabase } from '../../tools/service/migrate.ts';
import { basic, rawRequest } from '../load/raw-request.ts';
import type { Workload } from '../load/wrk.ts';
import { ADMIN, API } from './latchkey-admin.ts';
import type { BenchCredential, BenchResourceServer, Seed } from './latchkey-admin.ts';
import type { Server, ServerCommand } from './server.ts';
import { eachOf, ensure, mixed, postForm } from './target.ts';
import type { Scenario, Target } from './target.ts';

/** Where the load comes from. */
const CLIENT_IP = '127.0.0.1';
const TOKENS_EACH = 10;
/** Lets a guesser continue: with the usual limits all answers would soon be 429, which is cheaper. */
export const UNLIMITED_GUESSES = { GUESS_LIMIT_PER_CLIENT: '1000000', GUESS_LIMIT_PER_ADDRESS: '1000000' };

/** Where the service keeps its state. */
export interface Stores {
  readonly mongodbUri: string;
  readonly redisUrl: string;
}

/**
 * How to run the built service: as `npm run start:prod` does, in the checkout `root`.
 *
 * @param env additional variables; everything else has its default
 */
export function latchkeyCommand(
  root: string,
  { mongodbUri, redisUrl }: Stores,
  env: Readonly<Record<string, string>> = {},
): ServerCommand {
  const [program, ...args] = (scriptsOf(root)['start:prod'] ?? '').split(' ');
  ensure(program === 'node', 'start:prod does not run node');
  return {
    args,
    cwd: root,
    env: {
      PORT: '0',
      MONGODB_URI: mongodbUri,
      REDIS_URL: redisUrl,
      LATCHKEY_ADMIN_USERNAME: ADMIN.username,
      LATCHKEY_ADMIN_PASSWORD: ADMIN.password,
      ...env,
    },
  };
}

/** Creates the collections of the built service, unless that version creates them itself. */
export async function migrateLatchkey(root: string, { mongodbUri }: Stores): Promise<void> {
  if ('latchkey' in scriptsOf(root)) await migrateDatabase(root, mongodbUri);
}

function scriptsOf(root: string): Readonly<Record<string, string>> {
  return (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> }).scripts;
}

function clientBasic({ clientId, clientSecret }: BenchCredential): string {
  return basic(clientId, clientSecret);
}

/** A token of the credential. @throws Error when there is none */
export async function latchkeyToken(url: string, credential: BenchCredential): Promise<string> {
  const fields = { grant_type: 'client_credentials', scope: API };
  const { status, body } = await postForm(`${url}/oauth2/token`, clientBasic(credential), fields);
  ensure(status === 200 && typeof body['access_token'] === 'string', `token ${status}`);
  return body['access_token'] as string;
}

/** Whether the service considers the token active. */
export async function latchkeyAccepts(url: string, asker: BenchResourceServer, token: string): Promise<boolean> {
  const fields = { token, client_ip: CLIENT_IP };
  const { status, body } = await postForm(`${url}/oauth2/introspect`, basic(asker.id, asker.secret), fields);
  ensure(status === 200, `introspect ${status}`);
  return body['active'] === true;
}

/** Issues the maximum number of live tokens for the holders. */
export async function issueTokens(url: string, { holders }: Seed): Promise<string[]> {
  const owners = Array.from({ length: TOKENS_EACH }, () => holders).flat();
  return eachOf(owners, (credential) => latchkeyToken(url, credential));
}

/** Latchkey under load; `guessed` is an instance without effective guess limits. */
export function latchkeyTarget(name: string, server: Server, seed: Seed, guessed: boolean): Target {
  const [asker] = seed.resourceServers as [BenchResourceServer];
  const [, , , wronged] = seed.issuers as [BenchCredential, BenchCredential, BenchCredential, BenchCredential];
  let tokens: string[] = [];
  const check = async (): Promise<void> => {
    for (const token of [tokens.at(0), tokens.at(-1)]) {
      ensure(await latchkeyAccepts(server.url, asker, token ?? ''), `${name}: a live token is not active`);
    }
    const altered = (tokens[0] ?? '').replace(/.$/, (last) => (last === 'x' ? 'y' : 'x'));
    ensure(!(await latchkeyAccepts(server.url, asker, altered)), `${name}: an unknown token is active`);
  };
  return {
    name,
    server,
    prepare: async () => {
      if (guessed) return { WS: wrongSecrets(seed) };
      tokens = await issueTokens(server.url, seed);
      await check();
      const wrong = await postForm(`${server.url}/oauth2/token`, basic(wronged.clientId, 'wrong'), {
        grant_type: 'client_credentials',
      });
      ensure(wrong.status === 401, `${name}: a wrong secret gets ${wrong.status}`);
      return latchkeyWorkloads(seed, tokens);
    },
    verify: async () => {
      if (!guessed) await check();
    },
  };
}

const ISSUE_FORM = `grant_type=client_credentials&scope=${API}`;

function issueOf(authorization: string): string {
  return rawRequest({ path: '/oauth2/token', authorization, form: ISSUE_FORM });
}

function wrongSecrets({ issuers }: Seed): Workload {
  // a well-formed secret, but of another client
  const requests = issuers.map(({ clientId }, at) =>
    issueOf(basic(clientId, issuers[(at + 1) % issuers.length]?.clientSecret ?? '')),
  );
  return { requests, refused: true };
}

/** The requests of each scenario; introspection by the resource servers in turn. */
export function latchkeyWorkloads(seed: Seed, tokens: readonly string[]): Partial<Record<Scenario, Workload>> {
  const { issuers, holders, resourceServers } = seed;
  const askers = resourceServers.map(({ id, secret }) => basic(id, secret));
  const askerOf = (at: number): string => askers[at % askers.length] ?? '';
  const ask = (token: string, at: number): string =>
    rawRequest({
      path: '/oauth2/introspect',
      authorization: askerOf(at),
      form: `token=${token}&client_ip=${CLIENT_IP}`,
    });
  const live = tokens.map(ask);
  const issues = issuers.map((credential) => issueOf(clientBasic(credential)));
  const unknown = holders.map(({ clientId }, at) => ask(unknownToken(clientId.slice('lk_ci_'.length)), at));
  const strangers = askers.map((_unused, at) => ask(unknownToken('NobodysHandle00000000000'), at));
  const rubbish = askers.map((_unused, at) => ask(`lk_at_${'R'.repeat(24)}${'~'.repeat(43)}aaaaaa`, at));
  return {
    S1: { requests: issues },
    S2: { requests: live },
    S3: { requests: unknown, fresh: true },
    S3c: { requests: strangers, fresh: true },
    S3r: { requests: rubbish, fresh: true },
    S4: { requests: mixed(live, issues) },
    FA: { requests: tokens.map((token, at) => forwardAuth(askerOf(at), token)) },
  };
}

function unknownToken(handle: string): string {
  return `lk_at_${handle}${'~'.repeat(43)}${'#'.repeat(6)}`;
}

/** A gateway's forward-auth request for the token. */
export function forwardAuthOf({ id, secret }: BenchResourceServer, token: string): string {
  return forwardAuth(basic(id, secret), token);
}

function forwardAuth(gateway: string, token: string): string {
  return rawRequest({
    path: `/oauth2/forward-auth?api=${API}`,
    authorization: `Bearer ${token}`,
    headers: { 'X-Forward-Auth-Authorization': gateway, 'X-Forward-Auth-Client-IP': CLIENT_IP },
  });
}
