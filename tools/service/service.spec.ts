import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isStale } from './build.ts';
import { chooseFirstAdmin, listeningUrl, noticeFor, readyNotice } from './first-admin.ts';
import { withSecretFiles } from './secret-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-spec-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the first admin', () => {
  it('gets a random password unless one is set', () => {
    const [one, two] = [chooseFirstAdmin({}), chooseFirstAdmin({ LATCHKEY_ADMIN_PASSWORD: '' })];
    expect(one.username).toBe('admin');
    expect(one.password).toMatch(/^[\w-]{24}$/);
    expect(two.password).not.toBe(one.password);
    const set = { LATCHKEY_ADMIN_USERNAME: 'ada', LATCHKEY_ADMIN_PASSWORD: 'long enough' };
    expect(chooseFirstAdmin(set)).toEqual({ username: 'ada', password: 'long enough' });
  });

  const admin = { username: 'admin', password: 'S3cret' };

  it('is shown only if the service reports that it created one', () => {
    expect(noticeFor('{"msg":"first platform-admin created"}', admin)).toMatch(
      /user name +admin .*\n.*password +S3cret/,
    );
    for (const line of ['first platform-admin created', '{"msg":"x"}', '{"msg":', '{"msg":["listening"]}', '']) {
      expect(noticeFor(line, admin)).toBeNull();
    }
  });

  it('gets the address, and at later starts the way to reset a lost password', () => {
    const url = listeningUrl('{"msg":"listening","url":"http://127.0.0.1:3000/"}');
    expect(url).toBe('http://127.0.0.1:3000');
    for (const line of ['listening', '{"msg":"listening"}', '{"msg":"x","url":"http://127.0.0.1"}']) {
      expect(listeningUrl(line)).toBeNull();
    }
    expect(readyNotice('http://127.0.0.1:3000', true)).toContain(' http://127.0.0.1:3000/docs ');
    expect(readyNotice('http://127.0.0.1:3000', true)).not.toContain('admin:reset');
    expect(readyNotice('http://127.0.0.1:3000', false)).toContain('npm run admin:reset');
  });
});

describe('secrets in files', () => {
  const secretFile = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('are read, and the service gets no variable that would give them twice', () => {
    const own = {
      REDIS_URL: 'redis://127.0.0.1',
      OIDC_CLIENT_SECRET_FILE: '/run/oidc',
      MIGRATION_MONGODB_URI_FILE: '',
    };
    const uri = 'mongodb://user:secret@127.0.0.1/latchkey';
    const password = secretFile('password', 'long enough\n');
    const files = { MONGODB_URI_FILE: secretFile('uri', `${uri}\n`), LATCHKEY_ADMIN_PASSWORD_FILE: password };
    expect(withSecretFiles({ ...own, ...files })).toEqual({
      REDIS_URL: 'redis://127.0.0.1',
      OIDC_CLIENT_SECRET_FILE: '/run/oidc',
      MONGODB_URI: uri,
      LATCHKEY_ADMIN_PASSWORD: 'long enough',
    });
  });

  it('that are given twice, missing or empty are an error that names the variable', () => {
    const empty = secretFile('empty', '\n');
    const env = { REDIS_URL: 'redis://127.0.0.1', REDIS_URL_FILE: empty };
    expect(() => withSecretFiles(env)).toThrow('REDIS_URL and REDIS_URL_FILE are both set: give one of them');
    expect(() => withSecretFiles({ MONGODB_URI_FILE: join(folder, 'none') })).toThrow(
      'MONGODB_URI_FILE cannot be read',
    );
    expect(() => withSecretFiles({ MONGODB_URI_FILE: empty })).toThrow('MONGODB_URI_FILE names an empty file');
  });
});

describe('the build', () => {
  function put(path: string, minutesAgo: number): void {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    const at = Date.now() / 1000 - minutesAgo * 60;
    for (const each of [file, dirname(file)]) utimesSync(each, at, at);
  }

  it('runs if there is no build, or a source is newer', () => {
    put('libs/kernel/a.ts', 30);
    put('apps/api/main.ts', 30);
    expect(isStale(folder)).toBe(true);
    put('dist/latchkey.mjs', 10);
    for (const each of ['libs', 'apps'])
      utimesSync(join(folder, each), Date.now() / 1000 - 1800, Date.now() / 1000 - 1800);
    expect(isStale(folder)).toBe(false);
    put('libs/kernel/a.ts', 5);
    expect(isStale(folder)).toBe(true);
    put('libs/kernel/a.ts', 30);
    expect(isStale(folder)).toBe(false);
    put('package.json', 1);
    expect(isStale(folder)).toBe(true);
  });
});

describe('running the service', () => {
  const SERVICE = `
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
      console.log(JSON.stringify({ msg: 'stopping', signal }));
      process.exit(7);
    });
    console.log('not json {');
    console.log(JSON.stringify({ msg: 'first platform-admin created', user: process.env.LATCHKEY_ADMIN_USERNAME }));
    const states = ['unavailable', 'degraded', 'ok'];
    const server = require('node:http').createServer((request, answer) => {
      const status = states.length > 1 ? states.shift() : states[0];
      console.log('asked: ' + status);
      answer.writeHead(status === 'unavailable' ? 503 : 200).end(JSON.stringify({ status }));
    });
    server.listen(0, '127.0.0.1', () =>
      console.log(JSON.stringify({ msg: 'listening', url: 'http://127.0.0.1:' + server.address().port })));`;

  it.each(['SIGINT', 'SIGTERM'] as const)('passes its lines, %s and its exit code on', async (signal) => {
    writeFileSync(join(folder, 'service.cjs'), SERVICE);
    const url = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
    const script = `
      import { Ledger } from ${url('../local-stores/ledger.ts')};
      import { runService } from ${url('run-service.ts')};
      const root = ${JSON.stringify(folder)};
      const admin = { username: 'admin', password: 'S3cret' };
      const ledger = new Ledger(root + '/running.json');
      const env = { LATCHKEY_ADMIN_USERNAME: 'admin' };
      process.exitCode = await runService({ root, file: 'service.cjs', env, admin, ledger });
      await ledger.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (data: Buffer) => {
        output += data.toString();
        if (output.includes('Ctrl-C')) resolve();
      });
    });
    await ready;
    child.kill(signal);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(7);
    // ready is what answers `ok`: not what only listens, and not what lacks a store
    expect(output.indexOf('Latchkey is ready')).toBeGreaterThan(output.indexOf('asked: ok'));
    const lines = output.split('\n').filter((line) => /^[a-z{]/.test(line) && !line.startsWith('asked: '));
    expect(lines.map((line) => line.replace(/:\d+"/, ':1"'))).toEqual([
      'not json {',
      '{"msg":"first platform-admin created","user":"admin"}',
      '{"msg":"listening","url":"http://127.0.0.1:1"}',
      `{"msg":"stopping","signal":"${signal}"}`,
    ]);
    expect(output.split('S3cret')).toHaveLength(2);
  });
});
