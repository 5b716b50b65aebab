import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { ledgerFile, startStores, withDatabase } from './index.ts';
import { downloadMongod } from './mongodb.ts';
import { startMongod } from './mongod.ts';
import { databaseUsers } from './mongodb-users.ts';
import { passwordsFile, storePasswords } from './passwords.ts';
import { ask } from './ports.ts';
import { startRedis } from './redis.ts';
import { temporary } from './test-support/temporary.ts';
import type { Temporary } from './test-support/temporary.ts';

let place: Temporary;

beforeEach(() => {
  place = temporary();
});
afterEach(() => place.remove());

const portOf = (url: string): number => Number(/:(\d+)(?=\/|$)/.exec(url)?.[1]);

/** One command over a connection of its own. */
async function redis(url: string, command: string, ...args: string[]): Promise<unknown> {
  const client = new Redis(url, { retryStrategy: () => null });
  try {
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** Ends the processes of the place without letting them finish anything. */
function killAll(): void {
  const { processes } = JSON.parse(readFileSync(ledgerFile(place.folder), 'utf8')) as { processes: { pid: number }[] };
  for (const { pid } of processes) process.kill(pid, 'SIGKILL');
}

describe('Redis', () => {
  it('keeps its data across a stop and a kill, and evicts nothing', async () => {
    const first = place.context(true);
    const url = await startRedis(first);
    expect(await redis(url, 'set', 'a', '1')).toBe('OK');
    await first.ledger.close();
    await expect(ask(portOf(url), 'PING\r\n')).rejects.toThrow();

    expect(await redis(await startRedis(place.context(true)), 'set', 'b', '2')).toBe('OK');
    killAll();

    const third = await startRedis(place.context(true));
    expect(await redis(third, 'mget', 'a', 'b')).toEqual(['1', '2']);
    expect(await redis(third, 'config', 'get', 'maxmemory-policy')).toContain('noeviction');
    expect(await redis(third, 'config', 'get', 'bind')).toEqual(['bind', '127.0.0.1']);
  });

  it('requires a password that is only in this user’s file and in no process argument', async () => {
    const context = place.context(true);
    const url = new URL(await startRedis(context));
    expect(await ask(portOf(url.href), 'GET a\r\n')).toMatch(/^-NOAUTH/);
    expect(url.password).toBe(storePasswords(place.folder)['redis-password']);
    for (const file of [passwordsFile(place.folder), join(place.folder, 'redis', 'redis.conf')]) {
      expect(statSync(file).mode & 0o077).toBe(0);
    }
    const { processes } = JSON.parse(readFileSync(ledgerFile(place.folder), 'utf8')) as {
      processes: { pid: number }[];
    };
    for (const { pid } of processes) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(url.password);
    }
  });

  it('can run more than once at a time', async () => {
    const other = temporary();
    try {
      const urls = await Promise.all([startRedis(place.context(false)), startRedis(other.context(false))]);
      expect(new Set(urls).size).toBe(2);
    } finally {
      await other.remove();
    }
  });
});

describe('mongod', () => {
  /** A program that answers as mongod does to what starting it asks; there is no mongod on every machine. */
  function fakeMongod(): string {
    const program = join(place.folder, 'fake-mongod');
    const script = new URL('test-support/fake-mongod.ts', import.meta.url).href;
    writeFileSync(program, `#!${process.execPath}\nimport(${JSON.stringify(script)});\n`, { mode: 0o755 });
    return program;
  }
  const asked = (): unknown[] =>
    readFileSync(join(place.folder, 'mongodb', 'commands.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  it('becomes a replica set of one, and stays one on another port', async () => {
    const first = place.context(true);
    const uri = await startMongod(fakeMongod(), first);
    const host = `127.0.0.1:${portOf(uri)}`;
    const { 'mongodb-root-password': root } = storePasswords(place.folder);
    expect(uri).toBe(`mongodb://root:${root}@${host}/?replicaSet=latchkey&authSource=admin`);
    expect(asked().slice(0, 1)).toEqual([{ replSetInitiate: { _id: 'latchkey', members: [{ _id: 0, host }] } }]);
    await first.ledger.close();

    const again = `127.0.0.1:${portOf(await startMongod(fakeMongod(), place.context(true)))}`;
    const config = { _id: 'latchkey', version: 2, members: [{ _id: 0, host: again }] };
    expect(asked().at(-1)).toEqual({ replSetReconfig: config, force: true });
  });

  it('gets the users of tools/docker/mongo-init.js at its first start, and then requires their passwords', async () => {
    const first = place.context(true);
    await startMongod(fakeMongod(), first);
    const { roles, users } = databaseUsers('latchkey', storePasswords(place.folder));
    const made = asked() as Record<string, unknown>[];
    expect(made.flatMap(({ createRole }) => createRole ?? [])).toEqual(roles.map(({ role }) => role));
    expect(made.flatMap(({ createUser }) => createUser ?? [])).toEqual(['root', ...users.map(({ user }) => user)]);
    const args = readFileSync(join(place.folder, 'mongodb', 'starts.log'), 'utf8')
      .trim()
      .split('\n');
    expect(args.map((line) => line.includes('--keyFile'))).toEqual([false, true]);
    await first.ledger.close();
    await startMongod(fakeMongod(), place.context(true));
    expect((asked() as Record<string, unknown>[]).filter((command) => 'createUser' in command)).toHaveLength(4);
  });
});

describe('a downloaded mongod', () => {
  const variables = ['MONGOMS_USE_HTTP', 'MONGOMS_DOWNLOAD_MIRROR', 'MONGOMS_SYSTEM_BINARY'] as const;
  const before = variables.map((name) => process.env[name]);
  afterEach(() => {
    for (const [at, name] of variables.entries()) {
      if (before[at] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[at];
    }
  });

  it('is refused when its checksum is not the published one', async () => {
    const asked: string[] = [];
    const mirror = createServer(({ url = '' }, answer) => {
      asked.push(url);
      answer.end(url.endsWith('.md5') ? `${'0'.repeat(32)}  mongodb.tgz` : 'what an attacker put there');
    });
    await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
    process.env['MONGOMS_USE_HTTP'] = '1';
    process.env['MONGOMS_DOWNLOAD_MIRROR'] = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
    const said: string[] = [];
    const context = { binariesFolder: join(place.folder, 'binaries'), say: (line: string) => said.push(line) };
    expect(await downloadMongod(context)).toBeNull();
    expect(asked.some((url) => url.endsWith('.md5'))).toBe(true);
    expect(said.join('\n')).toMatch(/it cannot be fetched \(MD5 check failed/);
    mirror.close();
  });
});

describe('the stores', () => {
  it('use the configured URIs', async () => {
    const named = { MONGODB_URI: 'mongodb://db.example:27017/', REDIS_URL: 'redis://redis.example' };
    const stores = await startStores(place.context(true), named);
    expect(stores).toEqual({ mongodbUri: named.MONGODB_URI, redisUrl: named.REDIS_URL, passwords: null });
  });

  it.each([
    ['mongodb://h:1', 'mongodb://h:1/latchkey'],
    ['mongodb://h:1/', 'mongodb://h:1/latchkey'],
    ['mongodb://a:1,b:2/?replicaSet=x', 'mongodb://a:1,b:2/latchkey?replicaSet=x'],
    ['mongodb://u:p@h?x=y', 'mongodb://u:p@h/latchkey?x=y'],
    ['mongodb+srv://h/mine?x=/', 'mongodb+srv://h/mine?x=/'],
  ])('get a database in %s', (uri, expected) => {
    expect(withDatabase(uri, 'latchkey')).toBe(expected);
  });

  it('list the options if they cannot be started', () => {
    const program = fileURLToPath(new URL('../test.ts', import.meta.url));
    const { REDIS_URL: _r, MONGODB_URI: _m, ...env } = process.env;
    const { status, stderr } = spawnSync(process.execPath, [program, '--stores-only'], {
      env: { ...env, REDIS_URL: '', PATH: '', NODE_OPTIONS: '', TMPDIR: place.folder },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Redis: neither redis-server nor valkey-server is on PATH, and this is not Debian$/m);
    for (const choice of ['docker compose up', 'mongod', 'redis-server', 'MONGODB_URI and REDIS_URL']) {
      expect(stderr).toContain(choice);
    }
    expect(stderr).not.toMatch(/^\s+at /m);
    rmSync(place.folder, { recursive: true, force: true });
  });
});
