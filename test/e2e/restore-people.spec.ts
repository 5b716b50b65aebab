import { afterEach, describe, expect, it } from '@jest/globals';
import type { Api, EventBody } from '../support/api.ts';
import { Backup } from '../support/backup.ts';
import { aUser, unique } from '../support/builders.ts';
import { ADMIN, eventually } from '../support/service.ts';
import { TombstoneWorld } from '../support/tombstone-world.ts';

let world: TombstoneWorld;
afterEach(() => world.stop());

type Caller = Parameters<Api['as']>[0];

/** The status of the caller's own page. */
async function statusOf(caller: Caller): Promise<number> {
  return (await world.api.as(caller).get('/v1/me')).status;
}

async function sessionOf(person: {
  readonly username: string;
  readonly password: string;
}): Promise<{ cookie: string }> {
  const { headers } = await world.api.inSession(person);
  return { cookie: headers['cookie'] ?? '' };
}
/** A service user with two API keys. */
async function aRobot(): Promise<{ id: string; keys: { id: string; bearer: string }[] }> {
  const body = { username: unique('robot'), kind: 'service', roles: ['auditor'] };
  const { id } = (await world.api.post<{ id: string }>('/v1/users', body)).body;
  const keys: { id: string; bearer: string }[] = [];
  for (const name of ['first', 'second']) {
    const made = await world.api.post<{ id: string; apiKey: string }>(`/v1/users/${id}/keys`, { name });
    keys.push({ id: made.body.id, bearer: made.body.apiKey });
  }
  return { id, keys };
}

async function setStatus(id: string, status: 'active' | 'disabled'): Promise<void> {
  expect((await world.api.patch(`/v1/users/${id}`, { status })).status).toBe(200);
}

describe('people and machines of a restored database', () => {
  it('do not get back a removed or disabled user, an ended session or a deleted API key', async () => {
    world = await TombstoneWorld.start();
    const [removed, disabled, signedOut, kept] = [
      await aUser(world.api, ['auditor']),
      await aUser(world.api, ['platform-admin']),
      await aUser(world.api, ['auditor']),
      await aUser(world.api, ['auditor']),
    ];
    const robot = await aRobot();
    const [deletedKey, keptKey] = robot.keys as [{ id: string; bearer: string }, { id: string; bearer: string }];
    const sessions = {
      removed: await sessionOf(removed),
      disabled: await sessionOf(disabled),
      ended: await sessionOf(signedOut),
      kept: await sessionOf(signedOut),
    };
    const backup = await Backup.take(world.oauth.service.database);

    expect((await world.api.delete(`/v1/users/${removed.id}`)).status).toBe(204);
    await setStatus(disabled.id, 'disabled');
    expect((await world.api.as(sessions.ended).delete('/v1/session')).status).toBe(204);
    expect((await world.api.delete(`/v1/users/${robot.id}/keys/${deletedKey.id}`)).status).toBe(204);
    await world.oauth.service.stop();
    await backup.restore();

    await world.startUnready();
    await world.gets('restored-behind');
    const dry = await world.run('reconcile', '--dry-run');
    expect(dry).toMatchObject({ code: 1, stderr: '' });
    for (const { id } of [removed, disabled, deletedKey]) expect(dry.stdout).toContain(id);
    expect(await world.run('reconcile')).toMatchObject({ code: 0, stdout: expect.stringMatching(/left: 0\.\n$/) });

    await world.becomesReady();
    const callers: Caller[] = [removed, disabled, ...Object.values(sessions), deletedKey, keptKey, kept, ADMIN];
    expect(await Promise.all(callers.map(statusOf))).toEqual([401, 401, 401, 401, 401, 200, 401, 200, 200, 200]);
    const events = await world.api.all<EventBody>('/v1/events?actor=reconcile');
    expect(events.map(({ type, subject, data }) => [type, subject.id, data['reconciled'] ?? data['reason']])).toEqual(
      expect.arrayContaining([
        ['user.deleted.v1', removed.id, true],
        ['user.updated.v2', disabled.id, undefined],
        ['sessions.ended.v1', signedOut.id, 'reconciled'],
        ['api-key.deleted.v1', robot.id, true],
      ]),
    );
    expect((await world.api.get('/v1/events/verify')).body).toMatchObject({ whole: true });
    await world.restart();
    await world.becomesReady();
  });

  it('of a dump without one point in time are compared too, though the log has every event', async () => {
    world = await TombstoneWorld.start();
    const disabled = await aUser(world.api, ['auditor']);
    const session = await sessionOf(disabled);
    const backup = await Backup.take(world.oauth.service.database);
    await setStatus(disabled.id, 'disabled');
    await world.oauth.service.stop();
    await backup.restore(['users', 'sessions']);
    await world.startUnready();
    await world.gets('restored-behind');
    expect(await world.run('reconcile')).toMatchObject({ code: 0, stderr: '' });
    await world.becomesReady();
    expect([await statusOf(disabled), await statusOf(session)]).toEqual([401, 401]);
  });

  it('stay enabled if they were enabled again, before the backup or after the reconciliation', async () => {
    world = await TombstoneWorld.start();
    const person = await aUser(world.api, ['auditor']);
    await setStatus(person.id, 'disabled');
    await setStatus(person.id, 'active');
    const backup = await Backup.take(world.oauth.service.database);
    await setStatus(person.id, 'disabled');
    await setStatus(person.id, 'active');
    await world.oauth.service.stop();
    await backup.restore();
    expect((await world.run('reconcile', '--dry-run')).stdout).not.toContain(person.id);
    expect(await world.run('reconcile')).toMatchObject({ code: 0, stderr: '' });
    await world.startUnready();
    await world.becomesReady();
    expect(await statusOf(person)).toBe(200);
  });

  it('stay enabled if an instance was killed before it recorded that they were enabled', async () => {
    world = await TombstoneWorld.start();
    const person = await aUser(world.api, ['auditor']);
    await setStatus(person.id, 'disabled');
    const written = world.lines().length;
    await setStatus(person.id, 'active');
    await world.oauth.service.kill();
    world.cutOff(written);
    expect(world.lines().join('\n')).not.toContain('user-enabled');
    await world.startUnready();
    await world.becomesReady();
    expect(await statusOf(person)).toBe(200);
    await eventually(() => world.lines().join('\n').includes('user-enabled'));
  });

  it('keep their last enabled platform-admin: `reconcile` says how to make another one first', async () => {
    world = await TombstoneWorld.start();
    const first = (await world.api.get<{ id: string }>('/v1/me')).body.id;
    const backup = await Backup.take(world.oauth.service.database);
    const successor = await aUser(world.api, ['platform-admin']);
    expect((await world.api.as(successor).patch(`/v1/users/${first}`, { status: 'disabled' })).status).toBe(200);
    await world.oauth.service.stop();
    await backup.restore();

    const refused = await world.run('reconcile');
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/left: 1\.\n$/) });
    expect(refused.stderr).toMatch(new RegExp(`not reconciled: user ${first}, disabled at .*latchkey admin-reset`));
    await world.startUnready();
    await world.gets('restored-behind');

    const made = await world.run('admin-reset', '--username', 'rescue');
    const password = /^password {3}(\S+)$/m.exec(made.stdout)?.[1] ?? '';
    expect(await world.run('reconcile')).toMatchObject({ code: 0, stderr: '' });
    await world.becomesReady();
    expect(await statusOf(ADMIN)).toBe(401);
    expect(await statusOf({ username: 'rescue', password })).toBe(200);
  });
});
