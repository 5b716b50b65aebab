import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ApiBody, CredentialBody } from '../support/api.ts';
import { TestDatabase } from '../support/database.ts';
import { seedOperations } from '../support/many-operations.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import { eventually } from '../support/service.ts';

const OPERATIONS = 1_000;
/** Enough for fifteen parts. */
const OPERATIONS_IN_ELECTIONS = 300;
/**
 * What another instance needs to find that nobody works on the removal any more, and to finish it on a slow machine.
 */
const CONTINUED_WITHIN_MS = 240_000;

interface Removing extends ApiBody {
  readonly removal: { readonly credentialsTotal: number; readonly credentialsLeft: number } | null;
}

describe('an API removal whose instance is killed midway', () => {
  let world: OAuthWorld;

  beforeAll(async () => {
    world = await OAuthWorld.start(2);
  });
  afterAll(() => world.stop());

  it('is finished by another instance: it edits each credential once, and is in force everywhere when the API is gone', async () => {
    const [kept, leaving] = world.keys; // both of the resource server, so that introspection shows them
    const seeded = await seedOperations(world.service.database, OPERATIONS, 2, [leaving, kept]);
    // the last one that the removal comes to is not known: so a token of each of many
    const clients = seeded.filter((_client, index) => index % 100 === 0) as unknown as CredentialBody[];
    const tokens = await Promise.all(clients.map((client) => world.tokenOf(client)));
    const [first, second] = [world.services[0]!, world.apis[1]!];
    const path = `/v1/apis/${leaving}`;

    const removal = world.api.delete(`${path}?force=true`).catch(() => undefined);
    await eventually(async () => {
      const { body } = await second.get<Removing>(path);
      return body.removal !== null && body.removal.credentialsLeft < body.removal.credentialsTotal;
    }, 60_000);
    await first.kill('SIGKILL');
    await removal;
    const { body } = await second.get<Removing>(path);
    expect(body.removal?.credentialsTotal).toBe(2 * OPERATIONS);
    expect(body.removal?.credentialsLeft).toBeGreaterThan(0);
    expect((await second.patch(path, { name: 'Other' })).status).toBe(409);

    await eventually(async () => (await second.get(path)).status === 404, CONTINUED_WITHIN_MS);
    const scopes = await Promise.all(
      tokens.map(async (token) => (await second.introspect(world.resourceServer, token, '127.0.0.1')).body['scope']),
    );
    expect(new Set(scopes)).toEqual(new Set([kept]));
    const { database } = world.service;
    expect(await (await database.collection('credentials')).countDocuments({ apis: leaving })).toBe(0);
    const events = await database.collection('events');
    expect(await events.countDocuments({ type: 'credential.updated.v2' })).toBe(2 * OPERATIONS);
    expect(await events.countDocuments({ type: 'api.deleted.v1', 'subject.id': leaving })).toBe(1);
    expect((await second.get('/v1/events/verify')).body['whole']).toBe(true);
  }, 420_000);
});

describe('an API removal during an election', () => {
  let set: ReplicaSet;
  let world: OAuthWorld;
  let leaving: string;
  let kept: string;
  let tokens: string[];

  beforeEach(async () => {
    const database = new TestDatabase();
    set = await ReplicaSet.start();
    const env = { MONGODB_URI: set.view.uri(database.uri) };
    world = await OAuthWorld.start(2, { database, env });
    [kept, leaving] = world.keys;
    const seeded = await seedOperations(database, OPERATIONS_IN_ELECTIONS, 2, [leaving, kept]);
    const clients = seeded.filter((_client, index) => index % 30 === 0) as unknown as CredentialBody[];
    tokens = [];
    for (const client of clients) tokens.push(await world.tokenOf(client));
    for (const instance of [0, 1]) expect(await scopes(instance)).toEqual(tokens.map(() => `${kept} ${leaving}`));
  });
  afterEach(async () => {
    await world.stop();
    await set.stop();
  });

  /** The scopes of all tokens by introspection; the status where there is no verdict. */
  function scopes(instance: number): Promise<string[]> {
    return Promise.all(
      tokens.map(async (token) => {
        const { status, body } = await world.apis[instance]!.introspect(world.resourceServer, token, '127.0.0.1');
        const { scope = '' } = body as { scope?: string };
        return status === 200 ? scope.split(' ').sort().join(' ') : String(status);
      }),
    );
  }

  const remove = async (instance: number): Promise<number> =>
    (await world.apis[instance]!.delete(`/v1/apis/${leaving}?force=true`)).status;

  /** How many credentials still name the API, from the store and regardless of elections. */
  async function left(): Promise<number> {
    return (await world.service.database.collection('credentials')).countDocuments({ apis: leaving });
  }

  /** Starts the removal. @returns its answer, once some parts are committed, and others not */
  async function begun(): Promise<{ readonly answer: Promise<number> }> {
    const answer = remove(0);
    await eventually(async () => (await left()) < 2 * OPERATIONS_IN_ELECTIONS, 60_000);
    expect(await left()).toBeGreaterThan(0);
    return { answer };
  }

  /** Asks both instances for the removal until it is answered as over, and for the tokens immediately after it. */
  async function finished(): Promise<void> {
    const over = [204, 404];
    for (const instance of [0, 1]) {
      await eventually(async () => over.includes(await remove(instance)), CONTINUED_WITHIN_MS);
      for (const asked of [0, 1]) expect((await scopes(asked)).filter((scope) => scope.includes(leaving))).toEqual([]);
    }
    for (const asked of [0, 1]) {
      await eventually(async () => (await scopes(asked)).every((scope) => scope === kept));
    }
    expect(await left()).toBe(0);
    const events = await world.service.database.collection('events');
    expect(await events.countDocuments({ type: 'credential.updated.v2' })).toBe(2 * OPERATIONS_IN_ELECTIONS);
    expect(await events.countDocuments({ type: 'api.deleted.v1', 'subject.id': leaving })).toBe(1);
    expect((await world.api.get('/v1/events/verify')).body['whole']).toBe(true);
  }

  it('resumes after the primary stepped down, edits each credential once, and is in force when answered', async () => {
    const { answer } = await begun();
    await set.stepDown();
    expect(await left()).toBeGreaterThan(0);
    if ((await answer) === 204) {
      for (const asked of [0, 1]) expect((await scopes(asked)).filter((scope) => scope.includes(leaving))).toEqual([]);
    }
    await finished();
  }, 420_000);

  it('is not answered as over by a fresh primary that lacks its parts, resumes when that has caught up', async () => {
    const { answer } = await begun();
    await set.freeze(1);
    const before = await left();
    await eventually(async () => (await left()) < before, 60_000);
    await set.crash(0, 20);
    await eventually(async () => (await set.state()).primary === 1);
    expect(await left()).toBeGreaterThan(0);
    expect([202, 503]).toContain(await answer);
    expect(await remove(1)).toBe(503);
    // it does not know which rights were removed, so it has no verdict
    expect((await scopes(1)).filter((scope) => scope.includes(leaving))).toEqual([]);
    await set.release(1);
    await finished();
  }, 420_000);
});
