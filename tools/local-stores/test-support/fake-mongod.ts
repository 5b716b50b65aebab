// Speaks as much of MongoDB's protocol as starting a replica set of one needs, and keeps its configuration as mongod
// does; commands that change it are written to commands.log in its data folder.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BSON } from 'bson';
import type { Document } from 'bson';
import { Framer, readMessage, writeReply } from '../../documentdb/gateway/wire.ts';

const { values } = parseArgs({
  options: {
    dbpath: { type: 'string', default: '' },
    port: { type: 'string', default: '' },
    bind_ip: { type: 'string', default: '' },
    replSet: { type: 'string', default: '' },
  },
});
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

function answer(command: Document): Document {
  const current = config();
  switch (Object.keys(command)[0]) {
    case 'replSetGetConfig':
      return current ? { config: current, ok: 1 } : { ok: 0, code: 94, codeName: 'NotYetInitialized', errmsg: 'none' };
    case 'replSetInitiate':
      return configure(command, command['replSetInitiate'] as Config);
    case 'replSetReconfig':
      return configure(command, command['replSetReconfig'] as Config);
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
  const framer = new Framer();
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    for (const bytes of framer.push(chunk)) {
      const message = readMessage(bytes);
      socket.write(writeReply(message, answer(BSON.deserialize(message.body))));
    }
  });
}).listen(Number(values.port), values.bind_ip);
process.on('SIGTERM', () => process.exit(0));
