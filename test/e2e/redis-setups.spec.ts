import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { EventBody, PageBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { RedisSetup } from '../support/redis-setups.ts';
import { Service, eventually } from '../support/service.ts';

describe('a Redis setup', () => {
  let redis: RedisSetup;
  const services: Service[] = [];

  beforeEach(() => {
    redis = new RedisSetup();
  });
  afterEach(async () => {
    for (const service of services) await service.stop();
    for (const service of services.splice(0)) await service.database.drop();
    await redis.stop();
  });

  async function started(env: Record<string, string>, database = new TestDatabase()): Promise<Service> {
    const service = new Service(database, { database, env });
    services.push(service);
    return service.start();
  }

  const readiness = async (service: Service) =>
    (await (await fetch(`${service.url}/readyz`)).json()) as { status: string; problems: { code: string }[] };

  /** The work of a deletion goes by the outbox, through a queue, to a worker. */
  async function expectPurge(service: Service): Promise<void> {
    const api = new Api(service.url);
    const { id } = await anOperation(api);
    const credential = await aCredential(api, id, { apis: [(await anApi(api)).key] });
    expect((await api.token(credential)).status).toBe(200);
    expect((await api.delete(pathOf(credential))).status).toBe(204);
    await eventually(async () => {
      const { body } = await api.get<PageBody<EventBody>>(`/v1/events?operationId=${id}&type=tokens.purged.v1`);
      return body.items.length === 1;
    });
    expect(await readiness(service)).toMatchObject({ status: 'ok', problems: [] });
  }

  it('works as a Cluster of three masters', async () => {
    const ports = await redis.cluster();
    const nodes = ports.map((port) => `127.0.0.1:${port}`).join(',');
    await expectPurge(await started({ REDIS_URL: `redis+cluster://${nodes}` }));
  });

  it('works with a Sentinel', async () => {
    const { sentinel, master } = await redis.sentinel('jobs');
    const service = await started({ REDIS_URL: `redis+sentinel://127.0.0.1:${sentinel}/jobs` });
    await expectPurge(service);
    expect(await redis.ask(master, ['keys', `{latchkey-${service.database.name}-*:token-purge:*`])).not.toEqual([]);
  });

  it('works over TLS with a private CA and a client certificate', async () => {
    const files = redis.certificates();
    const tls = {
      ca: readFileSync(files.ca),
      cert: readFileSync(files.clientCert),
      key: readFileSync(files.clientKey),
    };
    const given = [
      '--tls-ca-cert-file',
      files.ca,
      '--tls-cert-file',
      files.serverCert,
      '--tls-key-file',
      files.serverKey,
    ];
    const port = await redis.server(['--port', '0', '--tls-port', 'PORT', ...given], { tls });
    const env = { REDIS_URL: `rediss://127.0.0.1:${port}`, REDIS_TLS_CA_FILE: files.ca };
    const client = { REDIS_TLS_CERT_FILE: files.clientCert, REDIS_TLS_KEY_FILE: files.clientKey };
    await expectPurge(await started({ ...env, ...client }));
  });

  it('works with the ACL user of docs/operating.md', async () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operating.md'), 'utf8');
    const rule = /^(user latchkey .*)$/m.exec(page)?.[1]?.replace('PASSWORD', 's3cret') ?? '';
    const file = join(redis.folder, 'users.acl');
    writeFileSync(file, `user default on >admin ~* &* +@all\n${rule}\n`);
    const administrator = { password: 'admin' };
    const port = await redis.server(['--aclfile', file], administrator);
    await expectPurge(await started({ REDIS_URL: `redis://latchkey:s3cret@127.0.0.1:${port}` }));
    // nothing that it wanted was refused
    expect(await redis.ask(port, ['acl', 'log'], administrator)).toEqual([]);
  });

  it('works at an IPv6 address', async () => {
    const port = await redis.server(['--bind', '::1'], { host: '::1' });
    await expectPurge(await started({ REDIS_URL: `redis://[::1]:${port}` }));
  });

  it('can be shared by two deployments with equal database names, without mixing their jobs', async () => {
    const port = await redis.server();
    const env = { REDIS_URL: `redis://127.0.0.1:${port}` };
    const one = await started(env);
    await expectPurge(one);
    // another deployment by its id: what a second cluster with a database of this name has
    const settings = await one.database.collection<{ _id: string; value: string }>('settings');
    const { value } = (await settings.findOne({ _id: 'deployment-id' })) ?? { value: '' };
    expect(value).toMatch(/^[0-9a-f]{8}$/);
    const keys = (await redis.ask(port, ['keys', '*'])) as string[];
    expect(keys.filter((key) => !key.startsWith(`{latchkey-${one.database.name}-${value}}:`))).toEqual([]);
    await one.stop();
    await settings.updateOne({ _id: 'deployment-id' }, { $set: { value: '0000beef' } });
    await one.start();
    await expectPurge(one);
    const all = (await redis.ask(port, ['keys', '*'])) as string[];
    for (const kind of ['token-purge', 'maintenance', 'guess']) {
      const owners = new Set(all.filter((key) => key.includes(`}:${kind}`)).map((key) => key.split('}')[0]));
      expect(owners).toEqual(new Set([value, '0000beef'].map((id) => `{latchkey-${one.database.name}-${id}`)));
    }
  });

  it('with an eviction policy makes the instance degraded, and is logged in one line', async () => {
    const port = await redis.server(['--maxmemory-policy', 'allkeys-lru']);
    const service = await started({ REDIS_URL: `redis://127.0.0.1:${port}` });
    await eventually(async () => (await readiness(service)).status === 'degraded');
    expect((await readiness(service)).problems).toMatchObject([{ code: 'redis-evicts' }]);
    const warnings = service.log.filter(({ msg }) => msg?.startsWith('Redis may evict jobs') === true);
    expect(warnings).toHaveLength(1);
  });

  it('that is unavailable is logged in one line, with the reason', async () => {
    const port = await redis.server();
    await redis.stop();
    redis = new RedisSetup();
    const service = await started({ REDIS_URL: `redis://127.0.0.1:${port}` });
    const line = await service.logged(({ msg }) => msg === 'waiting for Redis');
    expect(line['reason']).toContain(`127.0.0.1:${port}`);
    await eventually(async () => (await readiness(service)).status === 'degraded');
    expect(service.lines.filter((text) => text.includes('waiting for Redis'))).toHaveLength(1);
    expect(service.lines.join('\n')).not.toContain('    at ');
  });
});
