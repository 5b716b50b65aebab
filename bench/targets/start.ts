import { withDatabase } from '../../tools/local-stores/index.ts';
import type { Options } from '../options.ts';
import type { BenchStores } from '../stores.ts';
import { seedLatchkey } from './latchkey-admin.ts';
import { UNLIMITED_GUESSES, latchkeyCommand, latchkeyTarget, migrateLatchkey } from './latchkey.ts';
import type { Stores } from './latchkey.ts';
import { limitTarget, peerCommand, peerTarget } from './peers.ts';
import type { PeerName } from './peers.ts';
import { answers, startServer } from './server.ts';
import type { Server } from './server.ts';
import type { Target } from './target.ts';

/** The servers under load. */
export interface StartedTargets {
  readonly targets: readonly Target[];
  stop(): Promise<void>;
}

/** Starts a built service and waits until it can serve. */
export async function startLatchkey(
  root: string,
  stores: Stores,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  await migrateLatchkey(root, stores);
  const server = await startServer(latchkeyCommand(root, stores, env));
  await answers(`${server.url}/readyz`, (status) => status === 200);
  return server;
}

/** The same stores, with another database. */
export function beside({ latchkey }: BenchStores, suffix: string): Stores {
  const name = new URL(latchkey.mongodbUri).pathname.slice(1);
  return { ...latchkey, mongodbUri: withDatabase(latchkey.mongodbUri.replace(`/${name}`, '/'), `${name}_${suffix}`) };
}

/** Starts the measured servers, one process each, and fills them. */
export async function startTargets(
  options: Options,
  root: string,
  stores: BenchStores,
  say: (line: string) => void,
): Promise<StartedTargets> {
  const targets: Target[] = [];
  const servers: Server[] = [];
  const keep = (server: Server): Server => {
    servers.push(server);
    return server;
  };
  const wanted = (name: string): boolean => options.targets.test(name);
  const latchkey = async (name: string, folder: string, guessed: boolean): Promise<void> => {
    // a database each: instances of one database share their guess counts
    const server = keep(
      await startLatchkey(folder, beside(stores, name.toLowerCase()), guessed ? UNLIMITED_GUESSES : {}),
    );
    targets.push(latchkeyTarget(name, server, await seedLatchkey(server.url), guessed));
  };
  say('starting and filling the servers');
  if (wanted('Latchkey')) await latchkey('Latchkey', root, false);
  if (wanted('Guessing')) await latchkey('Guessing', root, true);
  if (options.against !== undefined) {
    if (wanted('Latchkey')) await latchkey('Other', options.against, false);
    if (wanted('Guessing')) await latchkey('OtherGuessing', options.against, true);
  }
  for (const [name, file] of Object.entries({ A: 'oidc-provider', B: 'node-oauth' })) {
    if (!wanted(name)) continue;
    targets.push(peerTarget(name as PeerName, keep(await startServer(peerCommand(file, stores.peerRedisUrl)))));
  }
  const limits = { L1: '/', L2: '/read' };
  for (const [name, path] of Object.entries(limits)) {
    if (!wanted(name)) continue;
    targets.push(limitTarget(name, keep(await startServer(peerCommand('fastify', stores.peerRedisUrl))), path));
  }
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  return { targets, stop };
}
