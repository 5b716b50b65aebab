import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiWithdrawalModule, ContinueApiRemovalsCommand, RemoveApiCommand } from '#api-withdrawal';
import { ApiRepository, OperationRepository, CreateApiCommand, CreateOperationCommand, GetApiQuery } from '#catalogue';
import type { ApiView } from '#catalogue';
import { chainName } from '#chain';
import { CreateCredentialCommand, CredentialRepository, EditCredentialCommand } from '#credentials';
import { EventLog, UnitOfWork } from '#events';
import type { Transaction } from '#events';
import { MongoStore, Transactions } from '#mongo';
import { unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';
import { seedOperations } from '../support/many-operations.ts';
import { eventually } from '../support/service.ts';

const OPERATIONS = 1_000;
/** How long an instance may answer from what it read. */
const LEASE_MS = 250;

/** What a credential of these tests has besides its APIs. */
const PLAIN = {
  ...({ description: '', owner: null, contact: null, labels: {}, allowedIps: [], status: 'active' } as const),
  ...({ expiresAt: null, tokenTtlSeconds: 3_600, tokenLimitPolicy: 'reject' } as const),
};

interface Owned {
  readonly id: string;
  readonly operationId: string;
}

describe('the removal of an API', () => {
  const database = new TestDatabase();
  let instances: Instance[];

  beforeAll(async () => {
    instances = await Promise.all([0, 1].map(() => startInstance(database, {}, [ApiWithdrawalModule])));
  });
  afterAll(async () => {
    await Promise.all(instances.map(({ app }) => app.close()));
    await database.drop();
  });

  const nth = (index: number): Instance => instances[index]!;

  async function anApi(): Promise<string> {
    const key = unique('api');
    await nth(0).commands.execute(new CreateApiCommand(callBy(), key, key, ''));
    return key;
  }

  async function anOperation(): Promise<string> {
    return (await nth(0).commands.execute(new CreateOperationCommand(callBy(), unique('operation'), false))).id;
  }

  async function aCredential(apis: string[], operationId?: string): Promise<Owned> {
    const owner = operationId ?? (await anOperation());
    const attributes = { ...PLAIN, name: unique('credential'), apis };
    const { view } = await nth(0).commands.execute(new CreateCredentialCommand(callBy(), owner, attributes));
    return { id: view.id, operationId: owner };
  }

  const grant = ({ id, operationId }: Owned, apis: string[], index = 1): Promise<unknown> =>
    nth(index).commands.execute(
      new EditCredentialCommand(callBy(), { operationId, credentialId: id, expected: 'any' }, { set: { apis } }),
    );

  const remove = (key: string, force: boolean, index = 0): Promise<ApiView | undefined> =>
    nth(index).commands.execute(new RemoveApiCommand(callBy(), key, 'any', force));

  const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'done',
      (error: unknown) => (error as { code?: unknown }).code,
    );

  async function apisOf({ id }: Owned): Promise<unknown> {
    return (await (await database.collection('credentials')).findOne({ _id: id as never }))?.['apis'];
  }

  async function eventsAbout(id: string, index = 0): Promise<string[]> {
    const events = nth(index).app.get(MongoStore).connection.collection('events');
    const found = await events.find({ 'subject.id': id }).sort({ seq: 1 }).toArray();
    return found.map(({ type }) => String(type));
  }

  async function untilGone(key: string): Promise<void> {
    await eventually(async () => (await codeOf(nth(1).queries.execute(new GetApiQuery(key)))) === 'not-found', 120_000);
  }

  /** A grant that has looked at the API and waits for `letGo`. @param holds whether it holds the chain's head */
  function grantUnderWay(
    credential: Owned,
    key: string,
    holds: boolean,
  ): { looked: Promise<void>; letGo: () => void; done: Promise<unknown> } {
    const { app } = nth(1);
    const looked = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<undefined>();
    const work = async (transaction: Transaction): Promise<void> => {
      const { session, at } = transaction;
      const loaded = await app.get(CredentialRepository).load(credential.operationId, credential.id, session);
      const { state: operation } = await app.get(OperationRepository).load(credential.operationId, session);
      await app.get(ApiRepository).claim([key], session);
      if (holds) await app.get(EventLog).hold(session, chainName(credential.operationId));
      looked.resolve(undefined);
      await held.promise;
      loaded.editApis([key], [], { at, by: 'us_test', operation });
      await app.get(CredentialRepository).save(loaded, session);
      transaction.publish(loaded);
    };
    const options = { chains: [credential.operationId], altersRights: true, limitMs: 30_000 };
    return {
      looked: looked.promise,
      letGo: () => held.resolve(undefined),
      done: codeOf(app.get(UnitOfWork).run(callBy(), options, work)),
    };
  }

  it('does not make grants of the same API in two operations wait for each other', async () => {
    const key = await anApi();
    const { app } = nth(0);
    const claimed = [0, 1].map(() => Promise.withResolvers<undefined>());
    const both = Promise.all(claimed.map(({ promise }) => promise));
    // each goes on when both have claimed: if one had to wait for the other, neither would
    const claims = claimed.map(({ resolve }) =>
      app.get(Transactions).run(async (session) => {
        await app.get(ApiRepository).claim([key], session);
        resolve(undefined);
        await both;
      }, 30_000),
    );
    await expect(Promise.all(claims)).resolves.toHaveLength(2);
  }, 60_000);

  it('is refused without force while something names the API', async () => {
    const key = await anApi();
    const credential = await aCredential([key]);
    expect(await codeOf(remove(key, false))).toBe('api-in-use');
    expect(await eventsAbout(key)).toEqual(['api.created.v1']);
    await grant(credential, []);
    expect(await remove(key, false)).toBeUndefined();
    expect(await eventsAbout(key)).toEqual(['api.created.v1', 'api.deleted.v1']);
  });

  it.each([
    ['takes the API from a credential whose grant was about to be committed when the removal began', true, 'done'],
    ['refuses a grant that had only looked at the API when the removal began', false, 'unknown-api'],
  ])('%s', async (_what, holds, outcome) => {
    const [key, credential] = [await anApi(), await aCredential([])];
    const granting = grantUnderWay(credential, key, holds);
    await granting.looked;
    const removal = remove(key, true);
    await eventually(async () => (await eventsAbout(key)).includes('api.removal-started.v1'));
    if (!holds) await untilGone(key);
    granting.letGo();
    expect(await granting.done).toBe(outcome);
    await removal;
    await untilGone(key);
    expect(await apisOf(credential)).toEqual([]);
    expect((await eventsAbout(credential.id)).length).toBe(holds ? 3 : 1);
  });

  it.each([
    [
      'without force, waits for a grant that is about to be committed, and is refused then',
      true,
      ['done', 'api-in-use'],
    ],
    ['without force, has a grant fail that had only looked at the API', false, ['unknown-api', 'done']],
  ])('%s', async (_what, holds, outcome) => {
    const [key, credential] = [await anApi(), await aCredential([])];
    const granting = grantUnderWay(credential, key, holds);
    await granting.looked;
    const removal = codeOf(remove(key, false));
    const apis = await database.collection<{ _id: string; deletionId?: string }>('apis');
    await eventually(async () => {
      const api = await apis.findOne({ _id: key });
      return holds ? api?.deletionId !== undefined : api === null;
    });
    granting.letGo();
    expect([await granting.done, await removal]).toEqual(outcome);
    expect(await apisOf(credential)).toEqual(holds ? [key] : []);
  });

  it('yields without force to a grant that has seen its mark, also after a crash of the removal', async () => {
    const [key, credential] = [await anApi(), await aCredential([])];
    const apis = await database.collection<{ _id: string; deletionId?: string }>('apis');
    await apis.updateOne({ _id: key }, { $set: { deletionId: 'of an instance that is no more' } });
    await grant(credential, [key]);
    expect(await apis.findOne({ _id: key })).not.toHaveProperty('deletionId');
    expect(await codeOf(remove(key, false))).toBe('api-in-use');
  });

  it('covers all of 1,000 operations, while no new grant of the API is accepted', async () => {
    const [key, other] = [await anApi(), await anApi()];
    const late = await aCredential([other]);
    const seeded = await seedOperations(database, OPERATIONS, 1, [key, other]);
    const removal = remove(key, true);
    await eventually(async () => (await eventsAbout(key)).includes('api.removal-started.v1'));
    await expect(grant(late, [other, key])).rejects.toMatchObject({
      code: 'unknown-api',
      errors: [{ pointer: '/apis/1', code: 'api-being-removed' }],
    });
    // it is answered in time, done or not
    const answered = await removal;
    if (answered !== undefined) {
      const { removal: progress } = await nth(1).queries.execute(new GetApiQuery(key));
      expect(progress).toMatchObject({ credentialsTotal: OPERATIONS });
      expect(progress!.credentialsLeft).toBeLessThan(OPERATIONS);
    }
    await untilGone(key);
    const credentials = await database.collection('credentials');
    expect(await credentials.countDocuments({ apis: key })).toBe(0);
    const ids = seeded.map(({ id }) => id);
    const events = (await database.collection('events')).find({
      'subject.id': { $in: ids },
      type: 'credential.updated.v2',
    });
    const updated = await events.toArray();
    expect(new Set(updated.map(({ subject }) => (subject as Owned).id)).size).toBe(OPERATIONS);
    expect(updated).toHaveLength(OPERATIONS);
    expect(updated[0]).toMatchObject({ actor: { id: 'us_test' }, data: { after: { apis: [other] } } });
    expect(await eventsAbout(key)).toEqual(['api.created.v1', 'api.removal-started.v1', 'api.deleted.v1']);
    // it is found until the last credential has been without it for a lease
    const deleted = await (await database.collection('events')).findOne({ 'subject.id': key, type: 'api.deleted.v1' });
    const lastAtMs = Math.max(...updated.map(({ at }) => (at as Date).getTime()));
    expect((deleted?.['at'] as Date).getTime() - lastAtMs).toBeGreaterThanOrEqual(LEASE_MS);
  }, 180_000);

  it.each([true, false])(
    'answers not-found only after the lease, since another instance may have ended it a moment ago (force: %s)',
    async (force) => {
      const askedAtMs = performance.now();
      expect(await codeOf(remove(unique('api'), force))).toBe('not-found');
      expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(LEASE_MS);
    },
  );

  it('is continued by another instance once it has been idle for a while', async () => {
    const key = await anApi();
    const credential = await aCredential([key]);
    const apis = await database.collection<{ _id: string; deletionId?: string }>('apis');
    const abandoned = {
      ...{ startedAt: new Date(), workedAt: new Date(), credentialsTotal: 1, credentialsLeft: 1 },
      context: { actor: callBy('us_gone').actor, requestId: 'gone' },
    };
    await apis.updateOne({ _id: key }, { $set: { removal: abandoned } });
    expect(await nth(1).commands.execute(new ContinueApiRemovalsCommand())).toBe(0);
    await apis.updateOne({ _id: key }, { $set: { 'removal.workedAt': new Date(Date.now() - 60_000) } });
    expect(await nth(1).commands.execute(new ContinueApiRemovalsCommand())).toBe(1);
    expect(await codeOf(nth(0).queries.execute(new GetApiQuery(key)))).toBe('not-found');
    expect(await apisOf(credential)).toEqual([]);
    const events = await database.collection('events');
    const told = await events.findOne({ 'subject.id': credential.id, type: 'credential.updated.v2' });
    expect(told).toMatchObject({ actor: { id: 'us_gone' }, requestId: 'gone' });
  });

  it('is joined by a second request, with force or without', async () => {
    const key = await anApi();
    await aCredential([key]);
    const both = await Promise.all([remove(key, true), remove(key, true, 1)].map((removal) => codeOf(removal)));
    // the second may come when all is over
    expect(['done done', 'done not-found', 'not-found done']).toContain(both.join(' '));
    expect(await eventsAbout(key)).toEqual(['api.created.v1', 'api.removal-started.v1', 'api.deleted.v1']);
    expect(await codeOf(remove(key, false))).toBe('not-found');
  });
});
