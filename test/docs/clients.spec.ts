import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CredentialBody } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { documented, filledIn } from '../support/gateway.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { ADMIN } from '../support/service.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH: process.env['PATH'], ...env } };
    execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
    });
  });
}

/** An API that does nothing but ask the documented guard. */
const SERVER = `
  import { createServer } from 'node:http';
  import { verdictOn } from './guard.js';
  const server = createServer(async ({ headers, socket }, response) => {
    const { status, challenge, clientId } = await verdictOn(headers.authorization, socket.remoteAddress, process.env.API_KEY);
    if (challenge !== undefined) response.setHeader('www-authenticate', challenge);
    response.writeHead(status).end(clientId ?? '');
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

let world: OAuthWorld;
let folder: string;
let guard: ChildProcess;
let apiUrl: string;

/** Starts an API behind the documented guard. @param env what differs for it */
async function startApi(env: Readonly<Record<string, string>> = {}): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(folder, 'server.js')], {
    env: {
      LATCHKEY: world.url,
      RESOURCE_SERVER_ID: world.resourceServer.username,
      RESOURCE_SERVER_SECRET_FILE: join(folder, 'resource-server-secret'),
      API_KEY: world.keys[0],
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: `http://127.0.0.1:${port}/` };
}

beforeAll(async () => {
  world = await OAuthWorld.start();
  folder = mkdtempSync(join(tmpdir(), 'latchkey-docs-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'guard.js'), documented('gateways.md', 'js'));
  writeFileSync(join(folder, 'server.js'), SERVER);
  writeFileSync(join(folder, 'resource-server-secret'), `${world.resourceServer.password}\n`, { mode: 0o600 });
  ({ child: guard, url: apiUrl } = await startApi());
});

afterAll(async () => {
  guard.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await world.stop();
});

describe('README, five minutes with curl', () => {
  const block = (signIn: string): string =>
    filledIn(documented('../README.md', 'bash'), {
      'http://127.0.0.1:3000': world.url,
      'admin:the-printed-password': signIn,
    });

  it('works as shown, also when repeated', async () => {
    for (let round = 0; round < 2; round += 1) {
      const { code, stdout, stderr } = await run(
        'bash',
        ['--norc', '-c', block(`${ADMIN.username}:${ADMIN.password}`)],
        {},
        folder,
      );
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('"active":true');
      expect(stdout).toMatch(/^\{"active":false\}$/m);
      for (const type of ['credential.created.v1', 'token.issued.v1', 'credential.deleted.v1']) {
        expect(stdout).toMatch(new RegExp(`^\\d+ ${type.replaceAll('.', '\\.')}$`, 'm'));
      }
    }
  });

  it('stops at the first call that fails, and shows the problem', async () => {
    const { code, stdout, stderr } = await run('bash', ['--norc', '-c', block('admin:wrong')], {}, folder);
    expect(code).not.toBe(0);
    expect(stderr).toContain('urn:latchkey:problem:unauthenticated');
    expect(stdout).toBe('');
  });
});

describe('docs/gateways.md, protecting your own server', () => {
  const ask = async (authorization?: string, url = apiUrl): Promise<[number, string | null, string]> => {
    const response = await fetch(url, authorization === undefined ? {} : { headers: { authorization } });
    return [response.status, response.headers.get('www-authenticate'), await response.text()];
  };

  it('turns each decision into the documented status', async () => {
    const client = await world.client({ allowedIps: ['127.0.0.1'] });
    const token = await world.tokenOf(client);
    expect(await ask(`Bearer ${token}`)).toEqual([200, null, client.clientId]);
    expect(await ask()).toEqual([401, 'Bearer', '']);
    expect(await ask('Basic YTpi')).toEqual([401, 'Bearer', '']);
    expect(await ask('Bearer rubbish')).toEqual([401, 'Bearer error="invalid_token"', '']);
    const other = await world.tokenOf(client, world.keys[1]);
    expect(await ask(`Bearer ${other}`)).toEqual([403, 'Bearer error="insufficient_scope"', '']);
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    expect(await ask(`Bearer ${token}`)).toEqual([401, 'Bearer error="invalid_token"', '']);
  });

  it('answers 503 if its own secret is wrong or Latchkey is unavailable', async () => {
    const token = await world.tokenOf(await world.client());
    const faults: Record<string, string>[] = [{ RESOURCE_SERVER_ID: 'rs_wrong' }, { LATCHKEY: 'http://127.0.0.1:9' }];
    for (const env of faults) {
      const { child, url } = await startApi(env);
      expect((await ask(`Bearer ${token}`, url))[0]).toBe(503);
      child.kill('SIGKILL');
    }
  });
});

/** The documented programs, and code behind them that shows how they fare over a longer life. */
const PROGRAMS: readonly [string, string, string][] = [
  [
    'python',
    'python3',
    `
first = tokens.get()
assert all(tokens.get() == first for _ in range(20)), "one token"
tokens._post("/oauth2/revoke", {"token": first})
assert call(os.environ["API_URL"], tokens) == os.environ["CLIENT_ID"], "recovers from a revocation"
assert tokens.get() != first
print("fine")
`,
  ],
  [
    'js',
    process.execPath,
    `
const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get()));
if (new Set(all).size !== 1) throw new Error('not one token');
const authorization = 'Basic ' + Buffer.from(process.env.CLIENT_ID + ':' + secret).toString('base64');
const body = new URLSearchParams({ token: all[0] });
await fetch(process.env.LATCHKEY + '/oauth2/revoke', { method: 'POST', headers: { authorization }, body });
const again = await call(process.env.API_URL, tokens);
if (again.status !== 200 || (await tokens.get()) === all[0]) throw new Error('does not recover from a revocation');
await tokens.revoke();
console.log('fine');
`,
  ],
];

describe('docs/clients.md', () => {
  let client: CredentialBody;
  let env: Record<string, string>;

  beforeEach(async () => {
    client = await world.client();
    const secretFile = join(folder, client.id);
    writeFileSync(secretFile, `${client.clientSecret}\n`, { mode: 0o600 });
    env = { LATCHKEY: world.url, CLIENT_ID: client.clientId, CLIENT_SECRET_FILE: secretFile, API_URL: apiUrl };
  });

  const liveTokens = async (): Promise<number> => (await world.api.get<CredentialBody>(pathOf(client))).body.liveTokens;

  it('curl: gets a token, uses it and revokes it', async () => {
    const { code, stdout, stderr } = await run('bash', ['--norc', '-c', documented('clients.md', 'bash')], env, folder);
    expect([code, stdout, stderr]).toEqual([0, client.clientId, '']);
    expect(await liveTokens()).toBe(0);
  });

  it('curl: stops at a refusal, and does not send it to the API as a token', async () => {
    const secretFile = join(folder, `${client.id}.wrong`);
    writeFileSync(secretFile, 'not-the-secret\n', { mode: 0o600 });
    const wrong = { ...env, CLIENT_SECRET_FILE: secretFile };
    const { code, stderr } = await run('bash', ['--norc', '-c', documented('clients.md', 'bash')], wrong, folder);
    expect(code).not.toBe(0);
    expect(stderr).toContain('401');
    expect(stderr).not.toContain('not-the-secret');
  });

  it.each(PROGRAMS)(
    '%s: keeps one token, recovers from a revocation, and revokes at exit',
    async (language, program, more) => {
      const file = join(folder, `${client.id}.${language === 'js' ? 'mjs' : 'py'}`);
      writeFileSync(file, documented('clients.md', language) + more);
      const { code, stdout, stderr } = await run(program, [file], env, folder);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`${client.clientId}\\nfine\\n$`));
      expect(await liveTokens()).toBe(0);
    },
  );

  it.each(PROGRAMS)(
    '%s: reports a refusal with its status and reason, and not its secret',
    async (language, program) => {
      for (let count = 0; count < 10; count += 1) await world.tokenOf(client);
      const file = join(folder, `${client.id}.${language === 'js' ? 'mjs' : 'py'}`);
      writeFileSync(file, documented('clients.md', language));
      const full = await run(program, [file], env, folder);
      expect(full.code).not.toBe(0);
      expect(full.stderr).toMatch(/\/oauth2\/token answers 429: \{"error":"temporarily_unavailable"/);
      await world.api.patch(pathOf(client), { status: 'disabled' });
      const disabled = await run(program, [file], env, folder);
      expect(disabled.stderr).toMatch(/\/oauth2\/token answers 401: \{"error":"invalid_client"/);
      expect(full.stderr + disabled.stderr).not.toContain(client.clientSecret);
    },
  );
});
