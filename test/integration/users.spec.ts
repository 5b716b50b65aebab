import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CreateUserCommand,
  DeleteUserCommand,
  EditUserCommand,
  GetMeQuery,
  GetUserQuery,
  ListUsersQuery,
  PrincipalAuthenticator,
} from '#identity';
import type { UserView } from '#identity';
import type { Role } from '#kernel';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { callBy, outcomes, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';
import { eventually } from '../support/service.ts';

const PASSWORD = 'correct horse battery staple';
const database = new TestDatabase();
const FIRST = { LATCHKEY_ADMIN_USERNAME: 'First', LATCHKEY_ADMIN_PASSWORD: PASSWORD };
let instances: Instance[];

const nth = (index: number): Instance => instances[index % instances.length]!;
const signIn = (name: string, password = PASSWORD, index = 0): ReturnType<PrincipalAuthenticator['basic']> =>
  nth(index).app.get(PrincipalAuthenticator).basic(name, password, '192.0.2.1');
const make = (username: string, roles: Role[], index = 0): Promise<UserView> =>
  nth(index).commands.execute(
    new CreateUserCommand(callBy(), {
      username,
      password: PASSWORD,
      roles,
      kind: 'person',
      operationIds: [],
      auditedOperationIds: null,
    }),
  );
async function allUsers(): Promise<UserView[]> {
  return nth(0).queries.execute(new ListUsersQuery(undefined, 1000));
}
async function eventsAbout(id: string): Promise<Record<string, unknown>[]> {
  return (await database.collection('events')).find({ 'subject.id': id }).sort({ seq: 1 }).toArray();
}

beforeAll(async () => {
  instances = await Promise.all([0, 1, 2].map(() => startInstance(database, FIRST)));
  await eventually(async () => (await allUsers()).length > 0);
});
afterAll(async () => {
  await Promise.all(instances.map(({ app }) => app.close()));
  await database.drop();
});

describe('the first platform-admin', () => {
  it('is created once when several instances start together', async () => {
    await Promise.all(instances.map(({ app }) => app.close()));
    await (await database.collection('users')).deleteMany({});
    instances = await Promise.all([0, 1, 2, 3].map(() => startInstance(database, FIRST)));
    await eventually(async () => (await allUsers()).length > 0);
    const [user, ...rest] = await allUsers();
    expect(rest).toEqual([]);
    expect(user).toMatchObject({ username: 'First', roles: ['platform-admin'] });
    expect(await signIn('first')).toMatchObject({ userId: user!.id, username: 'First', roles: ['platform-admin'] });
    expect(await eventsAbout(user!.id)).toMatchObject([
      { type: 'user.created.v2', operationId: null, actor: { type: 'system', id: 'first-admin' } },
    ]);
    // a later start, and one under another name, finds a user and makes none
    const other = await startInstance(database, { ...FIRST, LATCHKEY_ADMIN_USERNAME: 'Second' });
    await other.app.close();
    expect(await allUsers()).toHaveLength(1);
  });
});

describe('users', () => {
  it('are read, listed and changed; events contain no password', async () => {
    const name = unique('ada');
    const { id, version } = await make(name, ['auditor']);
    expect(await nth(1).queries.execute(new GetUserQuery(id))).toMatchObject({ username: name, roles: ['auditor'] });
    const edited = await nth(1).commands.execute(
      new EditUserCommand(callBy('us_boss'), id, [version], {
        password: 'another horse battery',
        roles: ['operation-admin'],
        operationIds: ['op_1'],
      }),
    );
    expect(edited).toMatchObject({ id, roles: ['operation-admin'], operationIds: ['op_1'], version: 2 });
    await expect(nth(0).commands.execute(new EditUserCommand(callBy(), id, [version], {}))).rejects.toMatchObject({
      code: 'precondition-failed',
    });
    expect(await signIn(name)).toBeUndefined();
    expect(await signIn(name.toUpperCase(), 'another horse battery')).toMatchObject({ userId: id });
    await nth(2).commands.execute(new DeleteUserCommand(callBy(), id, 'any'));
    await expect(nth(0).queries.execute(new GetUserQuery(id))).rejects.toMatchObject({ code: 'not-found' });
    const events = await eventsAbout(id);
    expect(events).toMatchObject([
      {
        type: 'user.created.v2',
        data: { before: null, after: { username: name, roles: ['auditor'], operationIds: [] } },
      },
      {
        type: 'user.updated.v2',
        actor: { id: 'us_boss' },
        data: {
          before: { username: name, roles: ['auditor'], operationIds: [] },
          after: { username: name, roles: ['operation-admin'], operationIds: ['op_1'] },
          passwordChanged: true,
        },
      },
      { type: 'user.deleted.v1', data: { roles: ['operation-admin'], operationIds: ['op_1'] } },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/horse|argon2/);
  });

  it('are stored with an Argon2id hash of the password only', async () => {
    const { id } = await make(unique('ada'), ['auditor']);
    const stored = await (await database.collection<{ _id: string }>('users')).findOne({ _id: id });
    expect(JSON.stringify(stored)).not.toContain('horse');
    expect(stored).toMatchObject({ passwordHash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) });
  });

  it('have a unique name regardless of case, also under concurrent creates', async () => {
    const name = unique('Race');
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => make(i % 2 === 0 ? name : name.toLowerCase(), ['auditor'], i)),
    );
    const { done, codes } = outcomes(results);
    expect(done).toBe(1);
    expect(new Set(codes)).toEqual(new Set(['name-taken']));
    const failed = results.find((result) => result.status === 'rejected');
    expect(failed?.reason).toMatchObject({ errors: [{ pointer: '/username', code: 'name-taken' }] });
  });

  it('keep one platform-admin, even if all are removed at the same time', async () => {
    for (const user of await allUsers()) {
      if (user.username !== 'First') await nth(0).commands.execute(new DeleteUserCommand(callBy(), user.id, 'any'));
    }
    for (let i = 0; i < 5; i += 1) await make(unique('admin'), ['platform-admin', 'auditor'], i);
    const admins = await allUsers();
    const results = await Promise.allSettled(
      admins.map(({ id }, i) =>
        nth(i).commands.execute(
          i % 2 === 0
            ? new DeleteUserCommand(callBy(), id, 'any')
            : new EditUserCommand(callBy(), id, 'any', { roles: ['auditor'] }),
        ),
      ),
    );
    expect(outcomes(results)).toEqual({ done: admins.length - 1, codes: ['last-platform-admin'] });
    const left = (await allUsers()).filter(({ roles }) => roles.includes('platform-admin'));
    expect(left).toHaveLength(1);
    const [last] = left;
    const rename = new EditUserCommand(callBy(), last!.id, 'any', { username: 'First', roles: ['platform-admin'] });
    expect(await nth(0).commands.execute(rename)).toMatchObject({ username: 'First' });
    await expect(nth(0).commands.execute(new DeleteUserCommand(callBy(), last!.id, 'any'))).rejects.toMatchObject({
      code: 'last-platform-admin',
    });
  });
});

describe('signing in', () => {
  it('applies an edit or a deletion immediately on every instance, although the password is cached', async () => {
    const name = unique('ada');
    const { id } = await make(name, ['auditor']);
    for (let i = 0; i < 3; i += 1) expect(await signIn(name, PASSWORD, i)).toMatchObject({ roles: ['auditor'] });
    await nth(0).commands.execute(new EditUserCommand(callBy(), id, 'any', { roles: ['operation-admin'] }));
    for (let i = 0; i < 3; i += 1)
      expect(await signIn(name, PASSWORD, i)).toMatchObject({ roles: ['operation-admin'] });
    await nth(0).commands.execute(new DeleteUserCommand(callBy(), id, 'any'));
    for (let i = 0; i < 3; i += 1) expect(await signIn(name, PASSWORD, i)).toBeUndefined();
  });

  it('records refusals with the true reason', async () => {
    const name = unique('ada');
    const { id } = await make(name, ['auditor']);
    await signIn(name, 'wrong horse battery');
    await signIn(unique('nobody'));
    const refusals = await database.collection('refusals');
    await eventually(async () => (await refusals.countDocuments({ 'subject.id': id, reason: 'wrong-password' })) === 1);
    await eventually(async () => (await refusals.countDocuments({ reason: 'unknown-user' })) > 0);
  });

  it('tells who one is', async () => {
    const name = unique('ada');
    const { id, createdAt } = await make(name, ['auditor']);
    const principal = await signIn(name);
    expect(await nth(0).queries.execute(new GetMeQuery(principal!))).toMatchObject({ id, username: name, createdAt });
  });
});
