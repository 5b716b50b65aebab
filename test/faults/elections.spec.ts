import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import type { SetView } from '../support/replica-set.ts';
import { eventually } from '../support/service.ts';

/** How long a token that was ended is asked about, in milliseconds. */
const ASKED_FOR_MS = 1_500;

/** What docs/adr/0003-the-lease.md claims of elections, one case at a time; lease.spec.ts has them at random. */
describe('a deletion that was answered, and a primary that does not know of it', () => {
  let set: ReplicaSet;
  let other: SetView;
  let world: OAuthWorld;
  let token: string;
  let path: string;

  beforeEach(async () => {
    const database = new TestDatabase();
    set = await ReplicaSet.start();
    other = await set.addView();
    const uris = [set.view.uri(database.uri), other.uri(database.uri)];
    world = await OAuthWorld.start(2, { database, envOf: (index) => ({ MONGODB_URI: uris[index] }) });
    const client = await world.client();
    token = await world.tokenOf(client);
    path = pathOf(client);
    for (const instance of [0, 1]) expect(await world.isActive(token, { instance })).toBe(true);
  });
  afterEach(async () => {
    await world.stop();
    await set.stop();
  });

  /** What the second instance says of the token, asked again and again from now on. */
  async function verdicts(): Promise<Set<string>> {
    const seen = new Set<string>();
    const untilMs = performance.now() + ASKED_FOR_MS;
    while (performance.now() < untilMs) {
      const { status, body } = await world.apis[1]!.introspect(world.resourceServer, token);
      seen.add(status === 200 ? `active: ${body['active'] === true}` : String(status));
      await pause(20);
    }
    return seen;
  }

  const inactive = async (): Promise<boolean> => !(await world.isActive(token, { instance: 1 }));

  it('is not undone by an instance whose primary was deposed without noticing', async () => {
    await other.partition(1);
    await set.elect(1, { oldStays: true });
    expect((await world.api.delete(path)).status).toBe(204);
    const seen = await verdicts();
    expect([...seen]).not.toContain('active: true');
    // it cannot know, and says so
    expect([...seen]).toContain('503');
    await set.release(0);
    await other.partition();
    await eventually(inactive);
  });

  it('is not reported as 404 before a majority has it, even if the DELETE is repeated', async () => {
    await set.freeze(0); // the primary applies writes, and no majority acknowledges them
    // by the other instance, at once: once its fence has run out nobody can even sign in
    const [unconfirmed, repeated] = await Promise.all([
      world.api.delete(path),
      pause(60).then(() => world.apis[1]!.delete(path)),
    ]);
    expect([unconfirmed.status, repeated.status]).toEqual([503, 503]);
    await set.release(0);
    // the first was applied after all
    await eventually(async () => (await world.api.delete(path)).status === 404);
    expect(await world.isActive(token, { instance: 1 })).toBe(false);
  });

  it('is not undone by a new primary that has not caught up with the majority', async () => {
    await set.freeze(1);
    expect((await world.api.delete(path)).status).toBe(204);
    await set.crash(0, 20);
    await eventually(async () => (await set.state()).primary === 1);
    const seen = await verdicts();
    expect([...seen]).not.toContain('active: true');
    expect([...seen]).toContain('503');
    await set.release(1);
    await eventually(inactive);
  });
});
