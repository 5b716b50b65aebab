// Speaks as much of MongoDB's protocol as starting a replica set of one needs, and keeps its configuration as mongod
// does; commands that change it are written to commands.log in its data folder.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BSON } from 'bson';
import type { Document } from 'bson';
import { ScramConversation, scramVerifier } from '../../../packages/documentdb-gateway/access/scram.ts';
import { Framer, readMessage, writeReply } from '../../../packages/documentdb-gateway/wire.ts';

const { values } = parseArgs({
  options: {
    dbpath: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    bind_ip: { type: 'string', default: '' },
    replSet: { type: 'string', default: '' },
    keyFile: { type: 'string', default: '' },
  },
});
appendFileSync(join(values.dbpath, 'starts.log'), `${process.argv.slice(2).join(' ')}\n`);
const configFile = join(values.dbpath, 'config.json');

interface Config {
  _id: string;
  version?: number;
  members: { host: string }[];
}

const config = (): Config | null =>
  existsSync(configFile) ? (JSON.parse(readFileSync(configFile, 'utf8')) as Config) : null;

function configure(command: Document, next: Config): Document {
  const { $db, lsid, ...shown } = command;
  appendFileSync(join(values.dbpath, 'commands.log'), `${JSON.stringify(shown)}\n`);
  if (next._id !== values.replSet || $db !== 'admin' || lsid === null)
    return { ok: 0, code: 93, errmsg: 'not this set' };
  writeFileSync(configFile, JSON.stringify({ version: 1, ...next }));
  return { ok: 1 };
}

function rootPassword(): string {
  const lines = readFileSync(join(values.dbpath, 'commands.log'), 'utf8').trim().split('\n');
  const commands = lines.map((line) => JSON.parse(line) as { createUser?: string; pwd?: string });
  return commands.find(({ createUser }) => createUser === 'root')?.pwd ?? '';
}

function answer(command: Document): Document {
  const current = config();
  switch (Object.keys(command)[0]) {
    case 'replSetGetConfig':
      return current ? { config: current, ok: 1 } : { ok: 0, code: 94, codeName: 'NotYetInitialized', errmsg: 'none' };
    case 'replSetInitiate':
      return configure(command, command['replSetInitiate'] as Config);
    case 'replSetReconfig':
      return configure(command, command['replSetReconfig'] as Config);
    case 'createRole':
    case 'createUser':
      appendFileSync(join(values.dbpath, 'commands.log'), `${JSON.stringify(command)}\n`);
      return { ok: 1 };
    case 'hello':
    case 'ismaster': {
      // a member that does not find itself in the configuration is none
      const primary = current?.members[0]?.host === `127.0.0.1:${values.port}`;
      return { isWritablePrimary: primary, ismaster: primary, minWireVersion: 0, maxWireVersion: 25, ok: 1 };
    }
    default:
      return { ok: 1 };
  }
}

createServer((socket) => {
  let scram: ScramConversation | undefined;
  /** Root's sign-in, with the password that it was made with. */
  const signIn = (command: Document): Document | null => {
    const payload = (command['payload'] as BSON.Binary | undefined)?.toString('utf8') ?? '';
    if ('saslStart' in command) {
      scram = new ScramConversation(payload, () => scramVerifier(rootPassword()));
      return { conversationId: 1, done: false, payload: new BSON.Binary(Buffer.from(scram.serverFirst)), ok: 1 };
    }
    if (!('saslContinue' in command)) return null;
    const last = scram?.finish(payload) ?? null;
    if (last === null) return { ok: 0, code: 18, errmsg: 'Authentication failed.' };
    return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.from(last)), ok: 1 };
  };
  const framer = new Framer();
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    for (const bytes of framer.push(chunk)) {
      const message = readMessage(bytes);
      const command = BSON.deserialize(message.body);
      socket.write(writeReply(message, signIn(command) ?? answer(command)));
    }
  });
}).listen(Number(values.port), values.bind_ip);
process.on('SIGTERM', () => process.exit(0));
