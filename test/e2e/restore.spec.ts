import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CredentialBody, EventBody, ProblemBody } from '../support/api.ts';
import { aCredential, aResourceServer } from '../support/builders.ts';
import { Backup } from '../support/backup.ts';
import { latchkey } from '../support/command-line.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { Service, eventually } from '../support/service.ts';
import type { ServiceOptions } from '../support/service.ts';

const RECHECK_LIMIT_MS = 90_000;

let folder: string;
let world: OAuthWorld;

afterEach(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Instances that share a directory of tombstones. */
async function start(instances = 1): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-tombstones-'));
  world = await OAuthWorld.start(instances, { env: { LATCHKEY_TOMBSTONE_DIR: folder } });
}

interface Readiness {
  readonly code: number;
  readonly status: string;
  readonly problems: readonly { readonly code: string; readonly detail: string }[];
}

async function readyz(): Promise<Readiness> {
  const answer = await fetch(`${world.url}/readyz`);
  return { code: answer.status, ...((await answer.json()) as Omit<Readiness, 'code'>) };
}

const isReady = async (): Promise<boolean> => (await readyz()).status === 'ok';
const hasProblem = async (code: string): Promise<boolean> => (await readyz()).problems.some((one) => one.code === code);
const reconcile = (...args: string[]) =>
  latchkey(world.service.database, ['reconcile', ...args], { LATCHKEY_TOMBSTONE_DIR: folder });
const pathOf = ({ operationId, id }: CredentialBody): string => `/v1/operations/${operationId}/credentials/${id}`;
const files = (): string[] => readdirSync(folder).map((name) => join(folder, name));
const lines = (): string[] => files().flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));

/** Starts the instance again on another address, which its Api does not follow: `world.url` does. */
async function restart(): Promise<void> {
  await world.service.stop();
  await startUnready();
}

async function startUnready(): Promise<void> {
  const unready: ServiceOptions = { env: { LATCHKEY_TOMBSTONE_DIR: folder }, awaitReady: false };
  const service = await new Service(world.service.database, unready).start();
  world = world.movedTo(service);
}

describe('a database that was restored to an older state', () => {
  it('keeps the instance out of service until `latchkey reconcile` has ended again what had ended before', async () => {
    await start();
    const deleted = await world.client();
    const [rotated, revoked, kept] = [
      await aCredential(world.api, deleted.operationId, { apis: world.keys }),
      await aCredential(world.api, deleted.operationId, { apis: world.keys }),
      await aCredential(world.api, deleted.operationId, { apis: world.keys }),
    ];
    const gone = await aResourceServer(world.api, world.keys);
    const tokens = {
      deleted: await world.tokenOf(deleted),
      rotated: await world.tokenOf(rotated),
      revoked: await world.tokenOf(revoked),
      kept: await world.tokenOf(kept),
    };
    const backup = await Backup.take(world.service.database);

    expect((await world.api.delete(pathOf(deleted))).status).toBe(204);
    expect((await world.api.post(`${pathOf(rotated)}/rotate-secret`, { compromised: true })).status).toBe(200);
    expect((await world.api.revoke(revoked, tokens.revoked)).status).toBe(200);
    expect((await world.api.delete(`/v1/resource-servers/${gone.id}`)).status).toBe(204);
    expect(lines().join('\n')).not.toContain(tokens.revoked);
    await world.service.stop();
    await backup.restore();

    await startUnready();
    await eventually(() => hasProblem('restored-behind'), RECHECK_LIMIT_MS);
    expect(await readyz()).toMatchObject({
      code: 503,
      status: 'unavailable',
      problems: [{ code: 'restored-behind', detail: expect.stringContaining('latchkey reconcile') }],
    });
    expect((await fetch(`${world.url}/livez`)).status).toBe(200);
    expect((await world.api.introspect(world.resourceServer, tokens.deleted)).status).toBe(503);
    expect((await world.api.token(deleted)).status).toBe(503);
    const refused = await world.api.get<ProblemBody>('/v1/operations');
    expect(refused).toMatchObject({ status: 503, body: { type: 'urn:latchkey:problem:not-ready' } });

    const dry = await reconcile('--dry-run');
    expect(dry).toMatchObject({ code: 1, stderr: '' });
    for (const { id } of [deleted, gone]) expect(dry.stdout).toContain(id);
    expect(await reconcile('--dry-run')).toEqual(dry);
    const done = await reconcile();
    expect(done).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/left: 0\.\n$/) });

    await eventually(isReady, RECHECK_LIMIT_MS);
    const verdicts = await Promise.all(Object.values(tokens).map((token) => world.isActive(token)));
    expect(verdicts).toEqual([false, false, false, true]);
    expect((await world.api.get(pathOf(deleted))).status).toBe(404);
    expect((await world.api.token(rotated)).status).toBe(401);
    expect((await world.api.get(`/v1/resource-servers/${gone.id}`)).status).toBe(404);
    expect((await world.api.token(kept)).status).toBe(200);

    const events = await world.api.all<EventBody>(`/v1/events?operationId=${deleted.operationId}`);
    const bySystem = events.filter(({ actor }) => actor.id === 'reconcile');
    expect(bySystem.map(({ type, subject, data }) => [type, subject.id, data['reconciled'] ?? data['reason']])).toEqual(
      expect.arrayContaining([
        ['credential.deleted.v1', deleted.id, true],
        ['credential.secrets-reconciled.v1', rotated.id, undefined],
        ['token.revoked.v1', revoked.id, 'reconciled'],
        ['log.reconciled.v1', 'events', undefined],
      ]),
    );
    expect((await world.api.get('/v1/events/verify')).body).toMatchObject({ whole: true });

    await restart();
    await eventually(isReady, RECHECK_LIMIT_MS);
    expect(await reconcile('--dry-run')).toMatchObject({ code: 0 });
  });

  it('is noticed by an instance that was running during the restore', async () => {
    await start();
    const client = await world.client();
    const backup = await Backup.take(world.service.database);
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await backup.restore();
    await eventually(() => hasProblem('restored-behind'), RECHECK_LIMIT_MS);
    expect((await world.api.token(client)).status).toBe(503);
  });
});

describe('tombstones', () => {
  it('are completed after a crash, and a line that the crash cut off does no harm', async () => {
    await start();
    const client = await world.client();
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await world.service.kill();
    const file = files().find((path) => readFileSync(path, 'utf8').includes(client.id))!;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.lastIndexOf(client.id) + 5)); // as after a crash during the write
    await startUnready();
    await eventually(() => files().some((path) => path !== file && readFileSync(path, 'utf8').includes(client.id)));
    await eventually(isReady);
  });

  it('of two instances can share a directory', async () => {
    await start(2);
    const clients = await Promise.all(Array.from({ length: 6 }, () => world.client()));
    const answers = await Promise.all(clients.map((client, index) => world.apis[index % 2]!.delete(pathOf(client))));
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 204));
    const recorded = lines().join('\n');
    for (const { id } of clients) expect(recorded).toContain(id);
    expect(await reconcile('--dry-run')).toMatchObject({ code: 0, stdout: 'To reconcile: 0.\n' });
    expect(await isReady()).toBe(true);
  });

  it('that are unreadable keep the instance out of service, and are named by file and line', async () => {
    await start();
    const client = await world.client();
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await world.service.stop();
    const [file] = files() as [string];
    const good = readFileSync(file, 'utf8');
    const number = good.split('\n').length;
    appendFileSync(file, `rubbish\n`);
    await startUnready();
    await eventually(() => hasProblem('tombstones-unreadable'));
    const [problem] = (await readyz()).problems;
    expect(problem?.detail).toContain(
      `Line ${number} of ${file.slice(folder.length + 1)} is not a valid tombstone: it is not JSON.`,
    );
    expect(await reconcile('--dry-run')).toMatchObject({ code: 1, stderr: expect.stringContaining(`line ${number}:`) });
    writeFileSync(file, good);
    await eventually(isReady, RECHECK_LIMIT_MS);
  });

  it('that cannot be written turn the answer of an effective deletion into 503, and are written later', async () => {
    await start();
    const client = await world.client();
    const token = await world.tokenOf(client);
    await eventually(isReady);
    rmSync(folder, { recursive: true });
    const answer = await world.api.delete<ProblemBody>(pathOf(client));
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:latchkey:problem:tombstones-unwritten' } });
    expect((await world.api.get(pathOf(client))).status).toBe(404);
    expect(await world.isActive(token)).toBe(false);
    expect(await readyz()).toMatchObject({
      code: 200,
      status: 'degraded',
      problems: [{ code: 'tombstones-unwritten' }],
    });
    mkdirSync(folder);
    await eventually(isReady);
    expect(lines().join('\n')).toContain(client.id);
  });

  it('need a writable directory: otherwise the service exits with 78', async () => {
    await start();
    for (const args of [['serve'], ['reconcile']]) {
      const result = await latchkey(world.service.database, args, { LATCHKEY_TOMBSTONE_DIR: join(folder, 'none') });
      expect(result).toMatchObject({
        code: 78,
        stderr: expect.stringContaining('  - LATCHKEY_TOMBSTONE_DIR must be a folder that the service may write to\n'),
      });
    }
    expect(await latchkey(world.service.database, ['reconcile'])).toMatchObject({ code: 78 });
  });
});
