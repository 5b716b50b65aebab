import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { EventBody, ProblemBody } from '../support/api.ts';
import { aCredential, aResourceServer, pathOf } from '../support/builders.ts';
import { Backup } from '../support/backup.ts';
import { latchkey } from '../support/command-line.ts';
import { eventually } from '../support/service.ts';
import { TombstoneWorld } from '../support/tombstone-world.ts';

let world: TombstoneWorld;
afterEach(() => world.stop());

describe('a database that was restored to an older state', () => {
  it('keeps the instance out of service until `latchkey reconcile` has ended again what had ended before', async () => {
    world = await TombstoneWorld.start();
    const deleted = await world.oauth.client();
    const [rotated, revoked, kept] = [
      await aCredential(world.api, deleted.operationId, { apis: world.oauth.keys }),
      await aCredential(world.api, deleted.operationId, { apis: world.oauth.keys }),
      await aCredential(world.api, deleted.operationId, { apis: world.oauth.keys }),
    ];
    const gone = await aResourceServer(world.api, world.oauth.keys);
    const tokens = {
      deleted: await world.oauth.tokenOf(deleted),
      rotated: await world.oauth.tokenOf(rotated),
      revoked: await world.oauth.tokenOf(revoked),
      kept: await world.oauth.tokenOf(kept),
    };
    const backup = await Backup.take(world.oauth.service.database);

    expect((await world.api.delete(pathOf(deleted))).status).toBe(204);
    expect((await world.api.post(`${pathOf(rotated)}/rotate-secret`, { compromised: true })).status).toBe(200);
    expect((await world.api.revoke(revoked, tokens.revoked)).status).toBe(200);
    expect((await world.api.delete(`/v1/resource-servers/${gone.id}`)).status).toBe(204);
    expect(world.lines().join('\n')).not.toContain(tokens.revoked);
    await world.oauth.service.stop();
    await backup.restore();

    await world.startUnready();
    await world.gets('restored-behind');
    expect(await world.readyz()).toMatchObject({
      code: 503,
      status: 'unavailable',
      problems: [{ code: 'restored-behind', detail: expect.stringContaining('latchkey reconcile') }],
    });
    expect((await fetch(`${world.oauth.url}/livez`)).status).toBe(200);
    expect((await world.api.introspect(world.oauth.resourceServer, tokens.deleted)).status).toBe(503);
    expect((await world.api.token(deleted)).status).toBe(503);
    const refused = await world.api.get<ProblemBody>('/v1/operations');
    expect(refused).toMatchObject({ status: 503, body: { type: 'urn:latchkey:problem:not-ready' } });

    const dry = await world.run('reconcile', '--dry-run');
    expect(dry).toMatchObject({ code: 1, stderr: '' });
    for (const { id } of [deleted, gone]) expect(dry.stdout).toContain(id);
    expect(await world.run('reconcile', '--dry-run')).toEqual(dry);
    const done = await world.run('reconcile');
    expect(done).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/left: 0\.\n$/) });

    await world.becomesReady();
    const verdicts = await Promise.all(Object.values(tokens).map((token) => world.oauth.isActive(token)));
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

    await world.restart();
    await world.becomesReady();
    expect(await world.run('reconcile', '--dry-run')).toMatchObject({ code: 0 });
  });

  it('is noticed by an instance that was running during the restore', async () => {
    world = await TombstoneWorld.start();
    const client = await world.oauth.client();
    const backup = await Backup.take(world.oauth.service.database);
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await backup.restore();
    await world.gets('restored-behind');
    expect((await world.api.token(client)).status).toBe(503);
  });
});

describe('tombstones', () => {
  it('are completed after a crash, and a line that the crash cut off does no harm', async () => {
    world = await TombstoneWorld.start();
    const client = await world.oauth.client();
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await world.oauth.service.kill();
    const file = world.files().find((path) => readFileSync(path, 'utf8').includes(client.id))!;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, text.lastIndexOf(client.id) + 5)); // as after a crash during the write
    await world.startUnready();
    await eventually(() =>
      world.files().some((path) => path !== file && readFileSync(path, 'utf8').includes(client.id)),
    );
    await world.becomesReady();
  });

  it('of two instances can share a directory', async () => {
    world = await TombstoneWorld.start(2);
    const clients = await Promise.all(Array.from({ length: 6 }, () => world.oauth.client()));
    const answers = await Promise.all(
      clients.map((client, index) => world.oauth.apis[index % 2]!.delete(pathOf(client))),
    );
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 204));
    const recorded = world.lines().join('\n');
    for (const { id } of clients) expect(recorded).toContain(id);
    expect(await world.run('reconcile', '--dry-run')).toMatchObject({ code: 0, stdout: 'To reconcile: 0.\n' });
    expect(await world.isReady()).toBe(true);
  });

  it('that are unreadable keep the instance out of service, and are named by file and line', async () => {
    world = await TombstoneWorld.start();
    const client = await world.oauth.client();
    expect((await world.api.delete(pathOf(client))).status).toBe(204);
    await world.oauth.service.stop();
    const [file] = world.files() as [string];
    const good = readFileSync(file, 'utf8');
    const number = good.split('\n').length;
    appendFileSync(file, `rubbish\n`);
    await world.startUnready();
    await world.gets('tombstones-unreadable');
    const [problem] = (await world.readyz()).problems;
    expect(problem?.detail).toContain(
      `Line ${number} of ${file.slice(world.folder.length + 1)} is not a valid tombstone: it is not JSON.`,
    );
    expect(await world.run('reconcile', '--dry-run')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`line ${number}:`),
    });
    writeFileSync(file, good);
    await world.becomesReady();
  });

  it('that cannot be written turn the answer of an effective deletion into 503, and are written later', async () => {
    world = await TombstoneWorld.start();
    const client = await world.oauth.client();
    const token = await world.oauth.tokenOf(client);
    await world.becomesReady();
    rmSync(world.folder, { recursive: true });
    const answer = await world.api.delete<ProblemBody>(pathOf(client));
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:latchkey:problem:tombstones-unwritten' } });
    expect((await world.api.get(pathOf(client))).status).toBe(404);
    expect(await world.oauth.isActive(token)).toBe(false);
    expect(await world.readyz()).toMatchObject({
      code: 200,
      status: 'degraded',
      problems: [{ code: 'tombstones-unwritten' }],
    });
    mkdirSync(world.folder);
    await world.becomesReady();
    expect(world.lines().join('\n')).toContain(client.id);
  });

  it('need a writable directory: otherwise the service exits with 78', async () => {
    world = await TombstoneWorld.start();
    for (const args of [['serve'], ['reconcile']]) {
      const result = await latchkey(world.oauth.service.database, args, {
        LATCHKEY_TOMBSTONE_DIR: join(world.folder, 'none'),
      });
      expect(result).toMatchObject({
        code: 78,
        stderr: expect.stringContaining('  - LATCHKEY_TOMBSTONE_DIR must be a folder that the service may write to\n'),
      });
    }
    expect(await latchkey(world.oauth.service.database, ['reconcile'])).toMatchObject({ code: 78 });
  });
});
