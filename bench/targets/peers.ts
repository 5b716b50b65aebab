import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Redis } from 'ioredis';
import { basic, rawRequest } from '../load/raw-request.ts';
import type { Workload } from '../load/wrk.ts';
import { PEER_SCOPE, STORE_READ_KEY, nodeOauthClientKey, oidcKey, peerClients, sha256 } from '../peers/clients.ts';
import type { PeerClient } from '../peers/clients.ts';
import type { Server, ServerCommand } from './server.ts';
import { eachOf, ensure, mixed, postForm } from './target.ts';
import type { Scenario, Target } from './target.ts';

const TOKENS = 500;
const root = fileURLToPath(new URL('../..', import.meta.url));
const builtFolder = join(root, '.data', 'bench', 'peers');

/** The differences between peers. */
interface Peer {
  readonly file: string;
  readonly token: string;
  readonly introspect: string;
  /** Length of its tokens in random characters; an unknown token must have the same length. */
  readonly tokenLength: number;
  readonly clientKey: (id: string) => string;
  readonly clientValue: (client: PeerClient) => object;
}

export const peers = {
  A: {
    file: 'oidc-provider',
    token: '/token',
    introspect: '/token/introspection',
    tokenLength: 43,
    clientKey: (id) => oidcKey('Client', id),
    clientValue: ({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: PEER_SCOPE,
    }),
  },
  B: {
    file: 'node-oauth',
    token: '/token',
    introspect: '/introspect',
    tokenLength: 64,
    clientKey: nodeOauthClientKey,
    clientValue: ({ id, secret }) => ({
      id,
      secretHash: sha256(secret),
      grants: ['client_credentials'],
      scopes: [PEER_SCOPE],
    }),
  },
} as const satisfies Record<string, Peer>;

export type PeerName = keyof typeof peers;

/** Compiles the peers to plain modules, as their users would run them, without the cost of type stripping. */
export async function buildPeers(): Promise<void> {
  mkdirSync(builtFolder, { recursive: true });
  await build({
    entryPoints: ['oidc-provider', 'node-oauth', 'fastify'].map((name) => join(root, 'bench', 'peers', `${name}.ts`)),
    outdir: builtFolder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node24',
  });
}

/** How to run a peer, or the limits (`fastify`). */
export function peerCommand(file: string, redisUrl: string): ServerCommand {
  return { args: [join(builtFolder, `${file}.mjs`)], cwd: root, env: { REDIS_URL: redisUrl } };
}

/** Empties the peers' Redis and writes their clients into it. */
export async function seedPeers(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.flushall();
  const pipeline = redis.pipeline();
  for (const { clientKey, clientValue } of Object.values(peers) as Peer[]) {
    for (const client of peerClients) pipeline.set(clientKey(client.id), JSON.stringify(clientValue(client)));
  }
  pipeline.set(STORE_READ_KEY, JSON.stringify({ active: true, client_id: 'client-0000', scope: PEER_SCOPE, exp: 2e9 }));
  await pipeline.exec();
  redis.disconnect();
}

/** Deletes a peer's client as its operator would: in the store, since neither peer has a call for it. */
export async function deletePeerClient(redisUrl: string, name: PeerName, id: string): Promise<void> {
  const redis = new Redis(redisUrl);
  await redis.del(peers[name].clientKey(id));
  redis.disconnect();
}

function basicOf(client: PeerClient | undefined): string {
  return basic(client?.id ?? '', client?.secret ?? '');
}

/** A token of the client. @throws Error when there is none */
export async function peerToken(url: string, name: PeerName, client: PeerClient): Promise<string> {
  const fields = { grant_type: 'client_credentials', scope: PEER_SCOPE };
  const { status, body } = await postForm(url + peers[name].token, basicOf(client), fields);
  ensure(status === 200 && typeof body['access_token'] === 'string', `${name}: token ${status}`);
  return body['access_token'] as string;
}

/** Whether the peer considers the token active. */
export async function peerAccepts(url: string, name: PeerName, asker: PeerClient, token: string): Promise<boolean> {
  const { status, body } = await postForm(url + peers[name].introspect, basicOf(asker), { token });
  ensure(status === 200, `${name}: introspect ${status}`);
  return body['active'] === true;
}

/** A peer under load. */
export function peerTarget(name: PeerName, server: Server): Target {
  const peer: Peer = peers[name];
  const asker = peerClients[3] as PeerClient;
  let tokens: string[] = [];
  const accepts = (token: string): Promise<boolean> => peerAccepts(server.url, name, asker, token);
  const check = async (): Promise<void> => {
    ensure(await accepts(tokens[0] ?? ''), `${name}: a live token is not active`);
    ensure(!(await accepts('u'.repeat(peer.tokenLength))), `${name}: an unknown token is active`);
    const wrong = await postForm(server.url + peer.token, basic(asker.id, 'wrong'), {
      grant_type: 'client_credentials',
    });
    ensure(wrong.status === 401, `${name}: a wrong secret gets ${wrong.status}`);
  };
  return {
    name,
    server,
    prepare: async () => {
      const owners = Array.from(
        { length: TOKENS },
        (_unused, at) => peerClients[at % peerClients.length] as PeerClient,
      );
      tokens = await eachOf(owners, (client) => peerToken(server.url, name, client));
      await check();
      return peerWorkloads(peer, tokens);
    },
    verify: check,
  };
}

function peerWorkloads(peer: Peer, tokens: readonly string[]): Partial<Record<Scenario, Workload>> {
  const form = `grant_type=client_credentials&scope=${encodeURIComponent(PEER_SCOPE)}`;
  const issue = (authorization: string): string => rawRequest({ path: peer.token, authorization, form });
  const ask = (client: PeerClient | undefined, token: string): string =>
    rawRequest({ path: peer.introspect, authorization: basicOf(client), form: `token=${token}` });
  const issues = peerClients.map((client) => issue(basicOf(client)));
  const live = tokens.map((token, at) => ask(peerClients[(at * 7) % peerClients.length], token));
  const unknown = `${'0'.repeat(peer.tokenLength - 43)}${'~'.repeat(43)}`;
  return {
    S1: { requests: issues },
    S2: { requests: live },
    S3: { requests: peerClients.map((client) => ask(client, unknown)), fresh: true },
    S4: { requests: mixed(live, issues) },
    WS: { requests: peerClients.map(({ id }) => issue(basic(id, sha256('wrong')))), refused: true },
  };
}

/** A limit: bare Fastify (`/`), or Fastify with one store read (`/read`). */
export function limitTarget(name: string, server: Server, path: string): Target {
  const check = async (): Promise<void> => {
    const { status } = await fetch(server.url + path);
    ensure(status === 200, `${name}: ${status}`);
  };
  return {
    name,
    server,
    prepare: async () => {
      await check();
      return { S0: { requests: [rawRequest({ path })] } };
    },
    verify: check,
  };
}
