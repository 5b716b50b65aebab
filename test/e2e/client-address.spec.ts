import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { basic } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { OAuthWorld, errorOf, pairOf } from '../support/oauth-world.ts';
import { FORM, basicLine, sendRaw } from '../support/raw-http.ts';
import { ADMIN, eventually } from '../support/service.ts';

const GRANT = 'grant_type=client_credentials';

/** Asks for a token with these header lines; what came of it, and the address that the token was issued to. */
async function askWith(
  world: OAuthWorld,
  lines: readonly string[],
  allowedIps: readonly string[] = [],
): Promise<string> {
  const client = await world.client({ allowedIps });
  const headers = [FORM, basicLine(pairOf(client)), ...lines];
  const answer = await sendRaw(world.url, { target: '/oauth2/token', headers, body: GRANT });
  if (answer.status !== 200) return errorOf(answer);
  const { body } = await world.api.get<{ items: { issuedTo: string }[] }>(`${pathOf(client)}/tokens`);
  return body.items[0]!.issuedTo;
}

describe('without TRUSTED_PROXIES', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start();
  });

  afterAll(() => world.stop());

  it.each([
    'X-Forwarded-For: 192.0.2.1',
    'X-Forwarded-For: 192.0.2.1, 127.0.0.1',
    'X-Forwarded-For: rubbish',
    'X-Real-IP: 192.0.2.1',
    'Forwarded: for=192.0.2.1',
    'True-Client-IP: 192.0.2.1',
    'CF-Connecting-IP: 192.0.2.1',
    'X-Forward-Auth-Client-IP: 192.0.2.1',
    'X-Forwarded-Host: 192.0.2.1',
  ])('ignores every forwarding header: %s', async (line) => {
    expect(await askWith(world, [line])).toBe('127.0.0.1');
    expect(await askWith(world, [line], ['192.0.2.0/24'])).toBe('401 invalid_client');
    expect(await askWith(world, [line], ['127.0.0.0/8'])).toBe('127.0.0.1');
  });
});

describe('with TRUSTED_PROXIES', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start(1, {
      env: { TRUSTED_PROXIES: '127.0.0.1/32, 10.0.0.0/8, 2001:db8:1::/48', HOST: '::' },
    });
  });

  afterAll(() => world.stop());

  it.each([
    ['the proxy’s own address without a header', [], '127.0.0.1'],
    ['the one hop', ['X-Forwarded-For: 192.0.2.1'], '192.0.2.1'],
    ['the rightmost untrusted address', ['X-Forwarded-For: 198.51.100.7, 192.0.2.1, 10.1.1.1'], '192.0.2.1'],
    ['the last address, not one that the caller put in front', ['X-Forwarded-For: 10.9.9.9, 192.0.2.1'], '192.0.2.1'],
    ['the leftmost address if all are trusted', ['X-Forwarded-For: 10.3.3.3, 10.2.2.2'], '10.3.3.3'],
    [
      'several lines as one list',
      ['X-Forwarded-For: 198.51.100.7', 'x-forwarded-for: 192.0.2.1', 'X-FORWARDED-FOR: 10.1.1.1'],
      '192.0.2.1',
    ],
    ['IPv6', ['X-Forwarded-For: 2001:db8:2::1, 2001:db8:1::5'], '2001:db8:2::1'],
    ['IPv6 in canonical form', ['X-Forwarded-For: 2001:DB8:2:0:0:0:0:1'], '2001:db8:2::1'],
    ['a mapped IPv4 as IPv4', ['X-Forwarded-For: ::ffff:192.0.2.1'], '192.0.2.1'],
    ['an address surrounded by white space', ['X-Forwarded-For:   192.0.2.1 ,\t10.1.1.1  '], '192.0.2.1'],
    [
      'the last address despite malformed entries to the left of it',
      ['X-Forwarded-For: rubbish, , 192.0.2.1'],
      '192.0.2.1',
    ],
    ['IPv4 with a port', ['X-Forwarded-For: 192.0.2.1:50123'], '192.0.2.1'],
    ['IPv6 in brackets', ['X-Forwarded-For: [2001:db8:2::1]'], '2001:db8:2::1'],
    ['IPv6 in brackets with a port', ['X-Forwarded-For: [2001:db8:2::1]:443, 10.1.1.1:80'], '2001:db8:2::1'],
  ])('determines the caller as %s', async (_what, lines, expected) => {
    expect(await askWith(world, lines)).toBe(expected);
  });

  it.each([
    'rubbish',
    'unknown',
    '_hidden',
    '',
    ',',
    '192.0.2.1,',
    '192.0.2.1, rubbish',
    '192.0.2.1:443:443',
    '192.0.2.1:99999',
    '[2001:db8::1',
    '192.0.2.1/32',
    '010.0.0.1',
    '0x7f.1',
    '1',
    'fe80::1%eth0',
    '\u00e4',
    '"192.0.2.1"',
  ])('refuses an unreadable address, even for a credential without Allowed IPs: %j', async (hop) => {
    expect(await askWith(world, [`X-Forwarded-For: ${hop}`])).toBe('401 invalid_client');
  });

  it('refuses a value that is too long to be an address', async () => {
    for (const hop of [`192.0.2.1,${' '.repeat(5_000)}192.0.2.1`, '9'.repeat(10_000), ','.repeat(10_000)]) {
      expect(await askWith(world, [`X-Forwarded-For: ${hop}`])).toBe('401 invalid_client');
    }
  });

  it('refuses introspection and revocation without an address, and logs the reason', async () => {
    const client = await world.client();
    const token = await world.tokenOf(client);
    const { username, password } = world.resourceServer;
    for (const [path, pair] of [
      ['introspect', `${username}:${password}`],
      ['introspect', pairOf(client)],
      ['revoke', pairOf(client)],
    ] as const) {
      const headers = [FORM, basicLine(pair), 'X-Forwarded-For: rubbish'];
      const answer = await sendRaw(world.url, { target: `/oauth2/${path}`, headers, body: `token=${token}` });
      expect(errorOf(answer)).toBe('401 invalid_client');
    }
    expect(await world.isActive(token)).toBe(true);
    await eventually(async () => {
      const events = await world.api.events({ type: 'sign-in.refused.v1', subject: client.id });
      return events.some(({ data }) => data['reason'] === 'no-address');
    });
  });

  it('lets an administrator sign in through a proxy that adds ports', async () => {
    const headers = [`Authorization: ${basic(ADMIN)}`, 'X-Forwarded-For: 192.0.2.1:50123, [2001:db8:1::5]:443'];
    expect((await sendRaw(world.url, { method: 'GET', target: '/v1/me', headers })).status).toBe(200);
  });

  it('logs once a minute per peer why an address cannot be read, without repeating it', async () => {
    for (const hop of ['canary-192.0.2.9', 'rubbish', '']) await askWith(world, [`X-Forwarded-For: ${hop}`]);
    const warnings = (): unknown[] => world.service.log.filter(({ msg }) => msg?.includes('address of the caller'));
    await eventually(() => warnings().length > 0);
    expect(warnings()).toEqual([
      expect.objectContaining({
        level: 'warn',
        peer: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1$/) as unknown,
        reason: expect.stringMatching(/^entry 1 from the right, of \d+, in X-Forwarded-For is /) as unknown,
      }),
    ]);
    expect(world.service.lines.join()).not.toContain('canary-192');
  });

  it('checks Allowed IPs against the forwarded address', async () => {
    expect(await askWith(world, ['X-Forwarded-For: 192.0.2.1'], ['192.0.2.0/24'])).toBe('192.0.2.1');
    expect(await askWith(world, ['X-Forwarded-For: 192.0.3.1'], ['192.0.2.0/24'])).toBe('401 invalid_client');
    expect(await askWith(world, ['X-Forwarded-For: 192.0.2.1, 192.0.3.1'], ['192.0.2.0/24'])).toBe(
      '401 invalid_client',
    );
    expect(await askWith(world, [], ['::ffff:127.0.0.1'])).toBe('127.0.0.1'); // the listener is of both kinds
  });
});

it.each(['true', '1', '*', '10/8', '0.0.0.0/0', '10.0.0.5/8'])(
  'TRUSTED_PROXIES=%s is refused at start',
  async (value) => {
    const bundle = join(import.meta.dirname, '..', '..', 'dist', 'latchkey.mjs');
    const env = {
      PATH: process.env['PATH'],
      MONGODB_URI: 'mongodb://127.0.0.1:1/x',
      REDIS_URL: 'redis://127.0.0.1:1',
      TRUSTED_PROXIES: value,
    };
    const child = spawn(process.execPath, [bundle], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(78);
    expect(said).toContain('TRUSTED_PROXIES');
  },
);
