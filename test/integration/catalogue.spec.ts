import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ApiRepository,
  CreateApiCommand,
  CreateResourceServerCommand,
  DeleteResourceServerCommand,
  EditApiCommand,
  EditResourceServerCommand,
  GetApiQuery,
  GetResourceServerQuery,
  ListApisQuery,
  ResourceServerReader,
  ResourceServerRepository,
  RotateResourceServerSecretCommand,
} from '#catalogue';
import type { ApiView, ResourceServerView, ResourceServerWithSecret } from '#catalogue';
import { UnitOfWork } from '#events';
import { digest, isWellFormedSecret, matchSecret } from '#kernel';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { callBy, outcomes, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';
import { eventually } from '../support/service.ts';

const database = new TestDatabase();
let instances: Instance[];

const nth = (index: number): Instance => instances[index % instances.length]!;
const makeApi = (key = unique('api'), index = 0): Promise<ApiView> =>
  nth(index).commands.execute(new CreateApiCommand(callBy(), key, `The API ${key}`, ''));
const makeServer = (apis: string[], name = unique('gate'), index = 0): Promise<ResourceServerWithSecret> =>
  nth(index).commands.execute(new CreateResourceServerCommand(callBy(), { name, apis, requireClientIp: true }));
const readServer = (id: string): Promise<ResourceServerView> => nth(1).queries.execute(new GetResourceServerQuery(id));
async function eventsAbout(id: string): Promise<string[]> {
  const found = (await database.collection('events')).find({ 'subject.id': id }).sort({ seq: 1 });
  return (await found.toArray()).map(({ type }) => String(type));
}

/** Takes an API out of the catalogue by force, as far as the catalogue goes. */
function removeApi(key: string, index = 0): Promise<void> {
  const { app } = nth(index);
  return app.get(UnitOfWork).run(callBy(), { chains: [null], altersRights: true }, async (transaction) => {
    const { session, at } = transaction;
    const api = await app.get(ApiRepository).load(key, session);
    if (await app.get(ResourceServerRepository).usesApi(key, session)) {
      transaction.publish(...(await app.get(ResourceServerRepository).removeApi(key, session, at, 100)));
    }
    api.delete();
    await app.get(ApiRepository).delete(key, session);
    transaction.publish(api);
  });
}

beforeAll(async () => {
  instances = await Promise.all([0, 1].map(() => startInstance(database)));
});
afterAll(async () => {
  await Promise.all(instances.map(({ app }) => app.close()));
  await database.drop();
});

describe('APIs', () => {
  it('are created, changed and listed by key', async () => {
    const prefix = unique('list');
    for (const part of ['c', 'a', 'b']) await makeApi(`${prefix}.${part}`);
    const page = await nth(1).queries.execute(new ListApisQuery(prefix, 2));
    expect(page.map(({ key }) => key)).toEqual([`${prefix}.a`, `${prefix}.b`]);
    const rest = await nth(1).queries.execute(new ListApisQuery(`${prefix}.b`, 1));
    expect(rest.map(({ key }) => key)).toEqual([`${prefix}.c`]);
    const edited = await nth(0).commands.execute(
      new EditApiCommand(callBy(), `${prefix}.a`, [1], { description: 'First.' }),
    );
    expect(edited).toMatchObject({ description: 'First.', version: 2 });
    expect(await nth(1).queries.execute(new GetApiQuery(`${prefix}.a`))).toEqual(edited);
    expect(await eventsAbout(`${prefix}.a`)).toEqual(['api.created.v1', 'api.updated.v2']);
    expect((await nth(0).app.get(ApiRepository).all()).map(({ key }) => key)).toContain(`${prefix}.c`);
  });

  it('have a unique key, also under concurrent creates', async () => {
    const key = unique('race');
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => makeApi(key, i)));
    const { done, codes } = outcomes(results);
    expect(done).toBe(1);
    expect(new Set(codes)).toEqual(new Set(['key-taken']));
    expect(await eventsAbout(key)).toEqual(['api.created.v1']);
  });
});

describe('resource servers', () => {
  it('get a secret that is shown once and stored as a digest', async () => {
    const { key } = await makeApi();
    const made = await makeServer([key, key]);
    expect(isWellFormedSecret(made.resourceServerSecret, 'resource-server')).toBe(true);
    const { resourceServerSecret, ...view } = made;
    expect(await readServer(made.id)).toEqual(view);
    expect(view).toMatchObject({
      apis: [key],
      requireClientIp: true,
      secrets: [{ expiresAt: null, lastUsedAt: null }],
    });
    expect(Object.keys(view.secrets[0]!).sort()).toEqual(['createdAt', 'expiresAt', 'id', 'lastUsedAt']);
    const stored = await (await database.collection<{ _id: string }>('resource_servers')).findOne({ _id: made.id });
    expect(JSON.stringify(stored)).not.toContain(resourceServerSecret);
    expect(stored).toMatchObject({ secrets: [{ digest: digest(resourceServerSecret) }] });
    const facts = await nth(1).app.get(ResourceServerReader).get(made.id);
    expect(facts).toMatchObject({ id: made.id, apis: [key], requireClientIp: true });
    expect(matchSecret(facts!.secrets, digest(resourceServerSecret), Date.now())?.id).toBe(view.secrets[0]!.id);
  });

  it('may name only existing APIs; an unknown one is reported by its position', async () => {
    const { key } = await makeApi();
    await expect(makeServer([key, 'no-such-api', key, 'nor-this'])).rejects.toMatchObject({
      code: 'unknown-api',
      errors: [{ pointer: '/apis/1' }, { pointer: '/apis/3' }],
    });
    const { id } = await makeServer([key]);
    const edit = new EditResourceServerCommand(callBy(), id, 'any', { apis: ['no-such-api'] });
    await expect(nth(0).commands.execute(edit)).rejects.toMatchObject({ code: 'unknown-api' });
    expect(await readServer(id)).toMatchObject({ apis: [key], updatedAt: (await readServer(id)).createdAt });
  });

  it('have a unique name regardless of case', async () => {
    const name = unique('Straße');
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => makeServer([], i % 2 === 0 ? name : name.toUpperCase(), i)),
    );
    const { done, codes } = outcomes(results);
    expect(done).toBe(1);
    expect(new Set(codes)).toEqual(new Set(['name-taken']));
  });

  it('are changed or deleted on every instance when the request is answered', async () => {
    const [one, two] = [await makeApi(), await makeApi()];
    const { id, version } = await makeServer([one.key]);
    const readers = instances.map(({ app }) => app.get(ResourceServerReader));
    const seen = (): Promise<unknown[]> => Promise.all(readers.map(async (reader) => (await reader.get(id))?.apis));
    expect(await seen()).toEqual([[one.key], [one.key]]);
    await nth(0).commands.execute(new EditResourceServerCommand(callBy(), id, [version], { apis: [two.key] }));
    expect(await seen()).toEqual([[two.key], [two.key]]);
    const stale = new EditResourceServerCommand(callBy(), id, [version], { requireClientIp: false });
    await expect(nth(1).commands.execute(stale)).rejects.toMatchObject({ code: 'precondition-failed' });
    await nth(0).commands.execute(new DeleteResourceServerCommand(callBy(), id, 'any'));
    expect(await seen()).toEqual([undefined, undefined]);
    await expect(readServer(id)).rejects.toMatchObject({ code: 'not-found' });
    expect(await eventsAbout(id)).toEqual([
      'resource-server.created.v1',
      'resource-server.updated.v2',
      'resource-server.deleted.v1',
    ]);
  });

  it('have at most two live secrets; a new one works on every instance when the rotation is answered', async () => {
    const made = await makeServer([]);
    const readers = instances.map(({ app }) => app.get(ResourceServerReader));
    const secrets = [made.resourceServerSecret];
    const good = async (): Promise<boolean[][]> =>
      Promise.all(
        readers.map(async (reader) => {
          const facts = await reader.get(made.id);
          return secrets.map((secret) => matchSecret(facts!.secrets, digest(secret), Date.now()) !== undefined);
        }),
      );
    const rotate = async (overlapSeconds: number, compromised = false): Promise<ResourceServerView> => {
      const rotation = { overlapSeconds, compromised, endOldest: true };
      const answer = await nth(0).commands.execute(
        new RotateResourceServerSecretCommand(callBy(), made.id, undefined, rotation),
      );
      secrets.push(answer.resourceServerSecret);
      return answer;
    };
    expect(await good()).toEqual([[true], [true]]);
    const { secrets: shown } = await rotate(3600);
    expect(shown).toMatchObject([{ expiresAt: null }, { expiresAt: expect.any(String) }]);
    expect(await good()).toEqual([
      [true, true],
      [true, true],
    ]);
    await rotate(3600);
    expect(await good()).toEqual([
      [false, true, true],
      [false, true, true],
    ]);
    await rotate(3600, true);
    expect(await good()).toEqual([
      [false, false, false, true],
      [false, false, false, true],
    ]);
    expect((await readServer(made.id)).secrets).toHaveLength(1);
  });

  it('show when a secret was last used, to the minute', async () => {
    const made = await makeServer([]);
    const [{ id: secretId } = { id: '' }] = made.secrets;
    const lastUse = async (): Promise<string | null> => (await readServer(made.id)).secrets[0]!.lastUsedAt;
    nth(0).app.get(ResourceServerReader).noteUse(made.id, secretId);
    await eventually(async () => (await lastUse()) !== null);
    const noted = await lastUse();
    expect(Math.abs(Date.parse(noted!) - Date.now())).toBeLessThan(60_000);
    const repository = nth(1).app.get(ResourceServerRepository);
    const at = new Date(Date.parse(noted!) + 30_000);
    await repository.noteUse(made.id, secretId, at, new Date(at.getTime() - 60_000));
    expect(await lastUse()).toBe(noted);
    await repository.noteUse(made.id, secretId, at, at);
    expect(await lastUse()).toBe(at.toISOString());
    expect((await readServer(made.id)).version).toBe(made.version);
  });
});

describe('an API that is deleted from the catalogue', () => {
  it('is removed from every resource server, with one event each', async () => {
    const [gone, kept] = [await makeApi(), await makeApi()];
    const first = await makeServer([gone.key, kept.key]);
    const second = await makeServer([gone.key]);
    const third = await makeServer([kept.key]);
    await removeApi(gone.key);
    expect(await readServer(first.id)).toMatchObject({ apis: [kept.key], version: 2 });
    expect(await readServer(second.id)).toMatchObject({ apis: [], version: 2 });
    expect(await readServer(third.id)).toMatchObject({ apis: [kept.key], version: 1 });
    for (const { id } of [first, second]) expect(await eventsAbout(id)).toContain('resource-server.updated.v2');
    expect(await eventsAbout(gone.key)).toEqual(['api.created.v1', 'api.deleted.v1']);
  });

  it('is never left in a resource server that is changed at the same moment', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { key } = await makeApi();
      const results = await Promise.allSettled([
        makeServer([key], unique('gate'), round),
        removeApi(key, round + 1),
        makeServer([key], unique('gate'), round + 1),
      ]);
      const { codes } = outcomes(results);
      expect(codes.every((code) => code === 'unknown-api')).toBe(true);
      const left = (await database.collection('resource_servers')).find({ apis: key });
      expect(await left.toArray()).toEqual([]);
      await expect(nth(0).queries.execute(new GetApiQuery(key))).rejects.toMatchObject({ code: 'not-found' });
    }
  });
});
