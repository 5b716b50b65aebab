import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  newAccessToken,
  newApiKey,
  newClientId,
  newClientSecret,
  newResourceServerSecret,
  newSessionToken,
} from '#kernel';
import { unique } from '../support/builders.ts';
import { OAuthWorld } from '../support/oauth-world.ts';

const PAGE = 'docs/secret-scanning.md';
const page = readFileSync(join(import.meta.dirname, '..', '..', PAGE), 'utf8');

/** The fenced blocks of the page in this language, in order. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, block]) => block!);
}

const made: Readonly<Record<string, () => string>> = {
  'access-token': () => newAccessToken(newClientId()),
  'client-secret': newClientSecret,
  'resource-server-secret': newResourceServerSecret,
  'api-key': newApiKey,
  'session-cookie': newSessionToken,
};
const SAMPLES = 200;
const inLines = (secret: string): string[] => [
  `KEY="${secret}"`,
  `Authorization: Bearer ${secret}`,
  secret,
  ` ${secret},`,
];

describe('docs/secret-scanning.md', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-scanning-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function python(
    block: string,
    { input = '', args = [] as string[], env = {} } = {},
  ): Promise<{ code: number | null; output: string }> {
    const file = join(folder, `${unique('script')}.py`);
    writeFileSync(file, block);
    const child = spawn('python3', [file, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdin.end(input);
    return { output: await readText(child.stdout), code: await ended };
  }

  it('has a pattern for each kind that matches what is made, and no other kind', () => {
    const rows = [...page.matchAll(/^\| [^|]+ \| `([\w-]+)` \| `(lk_[^`]+)` \|$/gm)].map(
      ([, kind, pattern]) => [kind!, new RegExp(`^${pattern!}$`)] as const,
    );
    expect(rows.map(([kind]) => kind)).toEqual(Object.keys(made));
    for (const [kind, pattern] of rows) {
      for (const [other, make] of Object.entries(made)) {
        for (let sample = 0; sample < SAMPLES; sample += 1) {
          expect([kind, other, pattern.test(make())]).toEqual([kind, other, kind === other]);
        }
      }
      expect(pattern.test(newClientId())).toBe(false);
    }
  });

  it('has configurations for scanners that find each kind in a line, and no client id', () => {
    const [toml] = blocks('toml');
    const [yaml] = blocks('yaml');
    const [secret, before, after] = blocks('regex').map((block) => block.trim());
    const anchored = (pattern: string): string => pattern.replace('\\A', '^').replace('\\z', '$');
    const patterns = {
      gitleaks: new RegExp(/^regex = '''(.+)'''$/m.exec(toml!)![1]!),
      trufflehog: new RegExp(/^ +secret: '(.+)'$/m.exec(yaml!)![1]!),
      github: new RegExp(`(?:${anchored(before!)})(${secret!})(?:${anchored(after!)})`),
    };
    for (const [scanner, pattern] of Object.entries(patterns)) {
      for (const make of Object.values(made)) {
        const found = make();
        for (const line of inLines(found))
          expect([scanner, line, pattern.exec(line)?.[1]]).toEqual([scanner, line, found]);
      }
      expect(pattern.test(`client_id=${newClientId()}`)).toBe(false);
    }
    for (const block of [toml!, yaml!]) {
      for (const make of Object.values(made)) expect(block).toContain(make().slice(0, 6));
    }
  });

  it('works out the checksum of its example exactly as it says', async () => {
    const [checksum] = blocks('python');
    const [printed] = blocks('text');
    expect(await python(checksum!)).toEqual({ code: 0, output: printed });
    // and that of anything that is made
    for (const make of Object.values(made)) {
      const script = checksum!.replace(/^secret = .+$/m, `secret = "${make()}"`);
      expect((await python(script)).output).toContain('well-formed True');
    }
  });

  it('has a script that reports findings, tells whose they are, and ends them', async () => {
    const world = await OAuthWorld.start();
    try {
      const client = await world.client({ contact: 'billing@example.com' });
      const user = { username: unique('scanner'), kind: 'service', roles: ['operation-admin'] };
      const operationIds = [client.operationId];
      const { body: robot } = await world.api.post<{ id: string }>('/v1/users', { ...user, operationIds });
      const key = await world.api.post<{ apiKey: string }>(`/v1/users/${robot.id}/keys`, { name: 'scanner' });
      const keyFile = join(folder, 'api-key');
      writeFileSync(keyFile, `${key.body.apiKey}\n`);
      const env = { LATCHKEY_URL: world.url, LATCHKEY_API_KEY_FILE: keyFile };
      const script = blocks('python')[1]!;
      const input = `${client.clientSecret}\nhunter2\n`;
      const whose = `client-secret of credential ${client.id} (billing@example.com):`;
      const nobody = 'none of nobody known - (None): not live';
      expect(await python(script, { env, input })).toEqual({ code: 1, output: `${whose} live\n${nobody}\n` });
      expect((await world.api.token(client)).status).toBe(200);
      const ended = await python(script, { env, input, args: ['--revoke'] });
      expect(ended).toEqual({ code: 0, output: `${whose} ended now\n${nobody}\n` });
      expect((await world.api.token(client)).status).toBe(401);
    } finally {
      await world.stop();
    }
  });
});
