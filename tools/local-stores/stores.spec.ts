import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ledgerFile, startStores, withDatabase } from './index.ts';
import { startMongod } from './mongod.ts';
import { ask } from './ports.ts';
import { startRedis } from './redis.ts';
import { temporary } from './test-support/temporary.ts';
import type { Temporary } from './test-support/temporary.ts';

let place: Temporary;

beforeEach(() => {
  place = temporary();
});
afterEach(() => place.remove());

const portOf = (url: string): number => Number(/:(\d+)/.exec(url)?.[1]);

/** Ends the processes of the place without letting them finish anything. */
function killAll(): void {
  const { processes } = JSON.parse(readFileSync(ledgerFile(place.folder), 'utf8')) as { processes: { pid: number }[] };
  for (const { pid } of processes) process.kill(pid, 'SIGKILL');
}

describe('Redis', () => {
  it('keeps its data over a stop and over a kill, and evicts none', async () => {
    const first = place.context(true);
    const port = portOf(await startRedis(first));
    expect(await ask(port, 'SET a 1\r\n')).toBe('+OK\r\n');
    await first.ledger.close();
    await expect(ask(port, 'PING\r\n')).rejects.toThrow();

    const second = portOf(await startRedis(place.context(true)));
    expect(await ask(second, 'SET b 2\r\n')).toBe('+OK\r\n');
    killAll();

    const third = portOf(await startRedis(place.context(true)));
    expect(await ask(third, 'MGET a b\r\n')).toBe('*2\r\n$1\r\n1\r\n$1\r\n2\r\n');
    expect(await ask(third, 'CONFIG GET maxmemory-policy\r\n')).toContain('noeviction');
    expect(await ask(third, 'CONFIG GET bind\r\n')).toMatch(/\r\n127\.0\.0\.1\r\n$/);
  });

  it('runs more than once at a time', async () => {
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

  it('becomes a replica set of one, and stays it on another port', async () => {
    const first = place.context(true);
    const uri = await startMongod(fakeMongod(), first);
    const host = `127.0.0.1:${portOf(uri)}`;
    expect(uri).toBe(`mongodb://${host}/?replicaSet=latchkey`);
    expect(asked()).toEqual([{ replSetInitiate: { _id: 'latchkey', members: [{ _id: 0, host }] } }]);
    await first.ledger.close();

    const again = `127.0.0.1:${portOf(await startMongod(fakeMongod(), place.context(true)))}`;
    const config = { _id: 'latchkey', version: 2, members: [{ _id: 0, host: again }] };
    expect(asked().slice(1)).toEqual([{ replSetReconfig: config, force: true }]);
  });
});

describe('the stores', () => {
  it('are those that are named, where they are', async () => {
    const named = { MONGODB_URI: 'mongodb://db.example:27017/', REDIS_URL: 'redis://redis.example' };
    const stores = await startStores(place.context(true), named);
    expect(stores).toEqual({ mongodbUri: named.MONGODB_URI, redisUrl: named.REDIS_URL });
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

  it('name the choices where there is no way to start them', () => {
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
