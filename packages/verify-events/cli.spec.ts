import { spawn, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { main } from './cli.ts';

const path = (name: string) => fileURLToPath(new URL(`../../docs/event-log-format/vectors/${name}`, import.meta.url));
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'latchkey-verify-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const written = (name: string, content: string) => {
  writeFileSync(join(scratch, name), content);
  return join(scratch, name);
};

async function run(args: string[], stdin: Readable = Readable.from([])) {
  let out = '';
  let err = '';
  const exit = await main(args, {
    stdin,
    stdout: { write: (text: string) => ((out += text), true) },
    stderr: { write: (text: string) => ((err += text), true) },
  });
  return { exit, out, err };
}
const SIGNED = ['--checkpoints', path('checkpoints.json'), '--keys', path('keys.json')];
const pem = (index: number) => {
  const { keys } = JSON.parse(readFileSync(path('keys.json'), 'utf8')) as { keys: { x: string }[] };
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: keys[index]?.x ?? '' }, format: 'jwk' });
  return written(`key-${index}.pem`, key.export({ type: 'spki', format: 'pem' }).toString());
};

describe('latchkey-verify', () => {
  it('says in one line that a log is whole, and what the checkpoints do not cover', async () => {
    const { exit, out } = await run(['--events', path('good.ndjson'), ...SIGNED]);
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'whole: 12 events in 2 chains; 1 refusal summary outside the chains, which nothing proves; 3 good checkpoints, 2 events later than the last of their chain\n',
    });
    const unsigned = await run(['--events', path('good.ndjson')]);
    expect(unsigned.out).toMatch(/; no checkpoint given: a missing end or a rewritten chain would not be seen\n$/);
  });

  it('prints a line for each chain if asked', async () => {
    const { out } = await run(['--events', path('good.ndjson'), ...SIGNED, '--verbose']);
    expect(out).toMatch(
      /^operation op_1: whole: seq 1 to 8, signed up to 7\nplatform: whole: seq 1 to 4, signed up to 3\n/,
    );
  });

  it.each([
    ['one-deleted', 'operation op_1: event seq 4: gap: missing: '],
    ['a-value-edited', 'operation op_1: event seq 3: hash: it was altered: '],
    ['the-last-signed-one-deleted', 'operation op_1: event seq 7: tail: missing: '],
    [
      'rewritten-between-checkpoints',
      'operation op_1: event seq 7: checkpoint: a checkpoint signed another hash: the chain was rewritten up to here, somewhere from seq 4 on',
    ],
  ])('names the fault and its position in one line: %s', async (name, words) => {
    const { exit, out } = await run(['--events', path(`${name}.ndjson`), ...SIGNED]);
    const lines = out.split('\n');
    expect({ exit, lines: lines.length, start: lines[0]?.slice(0, words.length) }).toEqual({
      exit: 1,
      lines: 3,
      start: words,
    });
    expect(lines[1]).toMatch(/^NOT WHOLE: 1 chain at fault; [0-9]+ events in 2 chains/);
  });

  it('names the line of a fault outside the chains, and a checkpoint that proves nothing', async () => {
    const { out } = await run(['--events', path('cut-off.ndjson'), ...SIGNED]);
    expect(out).toContain(`${path('cut-off.ndjson')} line 13: unterminated: the file ends within it: it was cut off\n`);
    const checkpoints = ['--checkpoints', path('checkpoints-by-a-retired-key.json'), '--keys', path('keys.json')];
    const forged = await run(['--events', path('good.ndjson'), ...checkpoints]);
    expect(forged.out).toMatch(/^checkpoint cp_4: retired-key: .*\nNOT WHOLE: 0 chains, 1 checkpoint at fault; /);
  });

  it('reads standard input, and several files as one log', async () => {
    const stdin = Readable.from([readFileSync(path('good.ndjson'))]);
    expect((await run(['--events', '-', ...SIGNED], stdin)).exit).toBe(0);
    const both = ['--events', path('archive.ndjson'), '--events', path('what-a-retention-left.ndjson')];
    expect((await run([...both, '--verbose'])).out).toMatch(/^operation op_1: whole: seq 1 to 8, not signed\n/);
  });

  it('accepts keys in PEM, each for its own checkpoints', async () => {
    const args = ['--events', path('good.ndjson'), '--checkpoints', path('checkpoints.json'), '--public-key', pem(0)];
    expect((await run(args)).out).toMatch(/^checkpoint cp_3: unknown-key: /);
    expect((await run([...args, '--public-key', pem(1)])).exit).toBe(0);
  });

  it('uses the earliest retirement of a key that is listed twice', async () => {
    const { keys } = JSON.parse(readFileSync(path('keys.json'), 'utf8')) as { keys: object[] };
    const earlier = keys.map((key) => ({ ...key, latchkey_retired_at: '2026-03-01T12:20:00.000Z' }));
    const stricter = written('stricter.json', JSON.stringify({ keys: [...keys, ...earlier] }));
    const args = ['--events', path('good.ndjson'), '--checkpoints', path('checkpoints.json'), '--keys', stricter];
    expect((await run(args)).out).toMatch(/^checkpoint cp_2: retired-key.*\ncheckpoint cp_3: retired-key/);
  });

  const good = ['--events', path('good.ndjson')];
  const privateKey = written(
    'private.pem',
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  it.each([
    ['nothing', [], /--events or --review is missing\n\nUsage/],
    ['an unknown option', ['--event', 'x'], /Unknown option '--event'/],
    ['a stray argument', [...good, 'x'], /x/],
    ['checkpoints without keys', [...good, '--checkpoints', path('checkpoints.json')], /needs --keys/],
    ['keys without checkpoints', [...good, '--keys', path('keys.json')], /of no use without/],
    ['a chain that cannot be', [...good, '--chain', 'op 1'], /--chain/],
    ['an export that is not there', ['--events', join(scratch, 'none')], /none: there is no such file\n$/],
    ['an export that is a directory', ['--events', scratch], /: it is a folder, not a file\n$/],
    ['a file that is not PEM', [...good, ...SIGNED, '--public-key', path('keys.json')], /not a public key in PEM/],
    ['a private key in PEM', [...good, ...SIGNED, '--public-key', privateKey], /not a public key in PEM/],
  ])('exits with 2 for %s', async (_name, args, message) => {
    const { exit, out, err } = await run(args);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(message);
  });

  it('prints its help', async () => {
    expect(await run(['--help'])).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^Usage: latchkey-verify/) as unknown,
    });
  });
});

describe('the program', () => {
  it.each(['main.ts', 'bin.mjs'])('runs as %s, with the documented exit codes', (program) => {
    const exits = [['--events', path('good.ndjson')], ['--events', path('one-deleted.ndjson')], []].map(
      (args) => spawnSync(process.execPath, [file(program), ...args]).status,
    );
    expect(exits).toEqual([0, 1, 2]);
  });

  /** Streams into the program; answers its output and the most memory it had, in KiB. */
  async function measured(chunks: Iterable<string | Buffer>) {
    // the maximum of resourceUsage() includes, on Linux, the process that forked this one
    const peak =
      process.platform === 'linux'
        ? "/^VmHWM:\\s*(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]"
        : 'process.resourceUsage().maxRSS';
    const memory = `data:text/javascript,import{readFileSync}from'node:fs';process.on('exit',()=>console.error(${peak}))`;
    const args = ['--max-old-space-size=64', '--import', memory, file('main.ts'), '--events', '-', '--verbose'];
    const child = spawn(process.execPath, args);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const closed = new Promise((resolve) => child.once('close', resolve));
    await pipeline(Readable.from(chunks), child.stdin);
    return { exit: await closed, out, maxKiB: Number(err.trim()) };
  }

  it('verifies more events than fit in its memory', async () => {
    const next = eventMaker('op_big');
    const chunks = function* () {
      for (let n = 0; n < 2000; n++) yield Array.from({ length: 100 }, next).join(''); // 130 MB in all
    };
    const { exit, out, maxKiB } = await measured(chunks());
    expect({ exit, out }).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^operation op_big: whole: seq 1 to 200000, not signed\n/) as unknown,
    });
    expect(maxKiB).toBeGreaterThan(10_000);
    expect(maxKiB).toBeLessThan(160_000);
  }, 120_000);

  it('does not hold a too long line in memory', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    const { exit, out, maxKiB } = await measured(Array.from({ length: 200 }, () => chunk));
    expect({ exit, out }).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/^- line 1: line-too-long: /) as unknown,
    });
    expect(maxKiB).toBeLessThan(160_000);
  }, 120_000);
});

/** Makes a chain's lines, one by one; the members are written in their canonical order. */
function eventMaker(operationId: string): () => string {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  let seq = 0;
  let prevHash = sha256(`\u0002${operationId}`);
  return () => {
    seq += 1;
    const head = `{"actor":{"id":"lk_ci_${'a'.repeat(24)}","ip":"10.0.0.1","type":"client"},"at":"2026-03-01T12:00:00.000Z","data":{"scope":"${'orders '.repeat(20)}"}`;
    const tail = `"id":"ev_${seq}","operationId":"${operationId}","outcome":"success","prevHash":"${prevHash}","requestId":null,"seq":${seq},"subject":{"id":"tk_${seq}","type":"token"},"type":"token.issued.v1"}`;
    prevHash = sha256(`\0${head},${tail}`);
    return `${head},"hash":"${prevHash}",${tail}\n`;
  };
}
