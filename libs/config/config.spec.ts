import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from './config.ts';

const stores = { MONGODB_URI: 'mongodb://127.0.0.1/latchkey', REDIS_URL: 'redis://127.0.0.1:6379' };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('configuration', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('has the documented defaults', () => {
    expect(loadConfig(stores)).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://127.0.0.1:3000',
      role: 'all',
      leaseMs: 250,
      connectionLimits: { inAll: 10_000, perAddress: 2_000 },
      guessLimits: { perClient: 20, perAddress: 200 },
      logLevel: 'info',
    });
  });

  it('takes each secret from a file, without the line break at its end, and lists what is wrong with one', () => {
    const path = join(folder, 'uri');
    writeFileSync(path, `${stores.MONGODB_URI}\n`);
    const { mongodbUri } = loadConfig({ REDIS_URL: stores.REDIS_URL, MONGODB_URI_FILE: path });
    expect(mongodbUri).toBe(stores.MONGODB_URI);
    writeFileSync(join(folder, 'empty'), '\n');
    const faults = faultsOf({
      ...stores,
      MONGODB_URI_FILE: path,
      LATCHKEY_ADMIN_USERNAME: 'admin',
      LATCHKEY_ADMIN_PASSWORD_FILE: join(folder, 'missing'),
      OIDC_CLIENT_SECRET_FILE: join(folder, 'empty'),
    });
    expect(faults).toEqual([
      'MONGODB_URI and MONGODB_URI_FILE are both set: give one of them',
      'LATCHKEY_ADMIN_PASSWORD_FILE cannot be read (ENOENT). Name a readable file',
      'OIDC_CLIENT_SECRET_FILE names an empty file: write the value of OIDC_CLIENT_SECRET into it',
      'OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must be set together',
    ]);
  });

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an unknown role', '{"a": {"role": "root"}}'],
    ['an unknown member', '{"a": {"role": "auditor", "operations": []}}'],
    ['ids for a platform-admin', '{"a": {"role": "platform-admin", "operationIds": ["op_1"]}}'],
  ])('refuses a role mapping that is %s', (_what, text) => {
    const env = { ...stores, OIDC_ISSUER: 'https://id.example', OIDC_AUDIENCE: 'x', OIDC_ROLE_MAPPING: text };
    expect(faultsOf(env)).toEqual([expect.stringMatching(/^OIDC_ROLE_MAPPING/)]);
  });

  it('lists all faults together', () => {
    const faults = faultsOf({
      PORT: 'x',
      LATCHKEY_ROLE: 'both',
      LATCHKEY_ADMIN_USERNAME: 'admin',
      TRUSTED_PROXIES: 'true',
    });
    for (const name of [
      'PORT',
      'LATCHKEY_ROLE',
      'LATCHKEY_ADMIN_PASSWORD',
      'TRUSTED_PROXIES',
      'MONGODB_URI',
      'REDIS_URL',
    ]) {
      expect(faults.filter((fault) => fault.includes(name))).toHaveLength(1);
    }
  });

  it.each([
    ['directConnection=true', 'directConnection'],
    ['loadBalanced=true', 'loadBalanced'],
    ['readPreference=secondaryPreferred', 'readPreference'],
    ['readPreferenceTags=dc:ny', 'readPreferenceTags'],
    ['maxStalenessSeconds=120', 'maxStalenessSeconds'],
    ['readConcernLevel=local', 'readConcernLevel'],
    ['journal=false', 'journal'],
    ['w=1', 'w'],
    ['wtimeoutMS=500', 'wtimeoutMS'],
    ['retryWrites=false', 'retryWrites'],
    ['retryReads=false', 'retryReads'],
    ['serverMonitoringMode=poll', 'serverMonitoringMode'],
    ['timeoutMS=500', 'timeoutMS'],
    ['socketTimeoutMS=500', 'socketTimeoutMS'],
    ['promoteLongs=false', 'promoteLongs'],
    ['READPREFERENCE=secondary', 'READPREFERENCE'],
  ])('refuses %s in a connection string, and says to remove it', (option, name) => {
    for (const variable of ['MONGODB_URI', 'EVENT_RETENTION_MONGODB_URI']) {
      const faults = faultsOf({ ...stores, [variable]: `mongodb://a:1,b:2/latchkey?replicaSet=x&${option}` });
      expect(faults).toEqual([expect.stringContaining(`${variable}: remove the option ${name}.`)]);
    }
  });

  it('lists every option of a connection string that is refused', () => {
    const uri = 'mongodb://127.0.0.1/latchkey?directConnection=true&w=1&journal=false';
    expect(faultsOf({ ...stores, MONGODB_URI: uri })).toHaveLength(3);
  });

  it.each([
    'mongodb+srv://u:p@cluster0.example/latchkey?retryWrites=true&w=majority&appName=Cluster0',
    'mongodb://a:1,b:2,c:3/latchkey?replicaSet=rs0&authSource=admin&tls=true&tlsCAFile=/ca.pem',
    'mongodb://a/latchkey?directConnection=false&readPreference=primary&readConcernLevel=majority&journal=true',
  ])('accepts %s', (uri) => {
    expect(faultsOf({ ...stores, MONGODB_URI: uri })).toEqual([]);
  });

  it('never repeats a value, since some are secrets', () => {
    const faults = faultsOf({ ...stores, LATCHKEY_ADMIN_USERNAME: 'admin', LATCHKEY_ADMIN_PASSWORD: 'c4n4ry' });
    expect(faults).toHaveLength(1);
    expect(faults.join()).not.toContain('c4n4ry');
  });

  it.each(['true', '1', '2', '10.0.0.5/8', '0.0.0.0/0'])('refuses %s as TRUSTED_PROXIES', (text) => {
    expect(faultsOf({ ...stores, TRUSTED_PROXIES: text })).toHaveLength(1);
  });

  it('accepts an http issuer only on loopback', () => {
    const issuer = (url: string): Record<string, string> => ({
      ...stores,
      OIDC_ISSUER: url,
      OIDC_AUDIENCE: 'latchkey',
    });
    for (const url of ['https://id.example', 'http://127.0.0.1:8080', 'http://localhost/realms/x', 'http://[::1]:80']) {
      expect(loadConfig(issuer(url)).oidc?.issuer).toBe(url);
    }
    for (const url of [
      'http://id.example',
      'http://10.0.0.1',
      'http://127.0.0.1.id.example',
      'http://localhost.example',
    ]) {
      expect(faultsOf(issuer(url))).toEqual([expect.stringContaining('OIDC_ISSUER must start with https://')]);
    }
  });

  it('accepts only an Ed25519 key for signing', () => {
    const write = (name: string, pem: string | Buffer): string => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' });
    const path = (file: string): Record<string, string> => ({ ...stores, LATCHKEY_SIGNING_KEY_FILE: file });
    expect(loadConfig(path(write('good.pem', ed25519))).signingKey?.asymmetricKeyType).toBe('ed25519');
    expect(faultsOf(path(write('rsa.pem', rsa)))).toHaveLength(1);
    expect(faultsOf(path(join(folder, 'missing.pem')))[0]).toContain('ENOENT');
  });

  it.each([
    [{}, 'http://127.0.0.1:3000', ''],
    [{ HOST: '::' }, 'http://[::]:3000', ''],
    [{ HOST: '::1', PORT: '8080' }, 'http://[::1]:8080', ''],
    [{ HOST: 'localhost' }, 'http://localhost:3000', ''],
    [{ PUBLIC_URL: 'https://latchkey.example' }, 'https://latchkey.example', ''],
    [{ PUBLIC_URL: 'https://latchkey.example//' }, 'https://latchkey.example', ''],
    [{ PUBLIC_URL: 'https://example.org:8443/auth' }, 'https://example.org:8443/auth', '/auth'],
    [{ PUBLIC_URL: 'https://example.org/team-1/auth/' }, 'https://example.org/team-1/auth', '/team-1/auth'],
  ])('has a valid issuer, and its path, for %j', (env, publicUrl, publicPath) => {
    expect(loadConfig({ ...stores, ...env })).toMatchObject({ publicUrl, publicPath });
    expect(URL.canParse(publicUrl)).toBe(true);
  });

  it.each([
    ['https://example.org/a//b', 'single slashes'],
    ['https://example.org/a/../b', 'single slashes'],
    ['https://example.org/a%20b', 'single slashes'],
    ['https://example.org/ä', 'single slashes'],
    ['https://example.org/v1', 'begins with one of Latchkey'],
    ['https://example.org/docs/auth', 'begins with one of Latchkey'],
    ['https://user:c4n4ry@example.org', 'user name or password'],
    ['https://example.org/?x', 'must not have a query'],
    ['https://example.org/#x', 'must not have a query'],
    ['ftp://example.org', 'http:// or https://'],
    ['example.org', 'http:// or https://'],
  ])('refuses %s as PUBLIC_URL', (text, fault) => {
    const faults = faultsOf({ ...stores, PUBLIC_URL: text });
    expect(faults).toEqual([expect.stringContaining(fault)]);
    expect(faults.join()).not.toContain('c4n4ry');
  });

  it('requires PUBLIC_URL if HOST cannot be part of a URL', () => {
    expect(faultsOf({ ...stores, HOST: 'fe80::1%eth0' })).toEqual([expect.stringContaining('PUBLIC_URL is required')]);
    expect(faultsOf({ ...stores, HOST: 'fe80::1%eth0', PUBLIC_URL: 'https://example.org' })).toEqual([]);
  });

  it('accepts a retention only with a writable archive folder', () => {
    const retention = { ...stores, EVENT_RETENTION_DAYS: '365', EVENT_ARCHIVE_DIR: folder };
    expect(loadConfig(stores).retention).toBeUndefined();
    expect(loadConfig(retention).retention).toEqual({ days: 365, archiveFolder: folder, mongodbUri: undefined });
    const faulty: [Record<string, string>, string][] = [
      [{ EVENT_ARCHIVE_DIR: '' }, 'EVENT_RETENTION_DAYS and EVENT_ARCHIVE_DIR must be set together'],
      [{ EVENT_RETENTION_DAYS: '' }, 'EVENT_RETENTION_DAYS and EVENT_ARCHIVE_DIR must be set together'],
      [{ EVENT_RETENTION_DAYS: '0' }, 'EVENT_RETENTION_DAYS must be a whole number from 1 to 36500'],
      [{ EVENT_ARCHIVE_DIR: join(folder, 'none') }, 'EVENT_ARCHIVE_DIR must be a folder that the service may write to'],
      [{ EVENT_ARCHIVE_DIR: '/dev/null' }, 'EVENT_ARCHIVE_DIR must be a folder that the service may write to'],
      [{ EVENT_RETENTION_MONGODB_URI: 'https://x' }, 'EVENT_RETENTION_MONGODB_URI must be a URL that starts with'],
    ];
    for (const [env, fault] of faulty) {
      expect(faultsOf({ ...retention, ...env })).toEqual([expect.stringContaining(fault)]);
    }
  });
});
