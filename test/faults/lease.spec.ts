import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Api, CredentialBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf } from '../support/builders.ts';
import { ForwardAuthLoad } from '../support/forward-auth-load.ts';
import { TestDatabase } from '../support/database.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import type { SetView } from '../support/replica-set.ts';

/**
 * Verifications by the two processes; a long run: LATCHKEY_LEASE_VERIFICATIONS=1000000 npm test -- test/faults/lease
 */
const VERIFICATIONS = Number(process.env['LATCHKEY_LEASE_VERIFICATIONS'] ?? 60_000);
const ENDERS = 12;
/** Slow enough for hundreds of ends among them. */
const VERIFICATIONS_A_SECOND = 1_500;
const CONNECTIONS_EACH = 4;
const AHEAD = 32;
/** How long a dead token is still asked about, in milliseconds: many times the lease. */
const ASKED_ON_MS = 2_000;
/** Later than the test ends, in milliseconds. */
const NEVER_MS = 2 ** 30;
/** A machine that is this slow is still waited for, in milliseconds a verification. */
const MAX_MS_EACH = 10;
/** A long run says how far it is this often, in milliseconds. */
const TOLD_EVERY_MS = 60_000;

/** A token on its way from life to death. */
interface TokenLife {
  readonly token: string;
  /** Set when the call that ended it was answered. */
  deadSinceMs: number | undefined;
}

interface Tally {
  asked: number;
  accepted: number;
  /** Answered 503, since the store could not prove anything. */
  unavailable: number;
  /** Lost with their connection. */
  unanswered: number;
  /** Begun after the answer to the end of the token. */
  askedOfDead: number;
  /** … and accepted: there must be none. */
  broken: string[];
  ends: Record<string, number>;
  pauses: number;
  elections: Record<string, number>;
}

type End = (api: Api, credential: CredentialBody, token: string) => Promise<Answer<unknown>>;
const ENDS: Record<string, End> = {
  'delete the credential': (api, credential) => api.delete(pathOf(credential)),
  'disable it': (api, credential) => api.patch(pathOf(credential), { status: 'disabled' }),
  'take its API': (api, credential) => api.delete(`${pathOf(credential)}/apis`),
  'move its Allowed IPs': (api, credential) => api.patch(pathOf(credential), { allowedIps: ['192.0.2.1'] }),
  'revoke the token': (api, credential, token) => api.revoke(credential, token),
  'end all tokens': (api, credential) => api.delete(`${pathOf(credential)}/tokens`),
  'replace a compromised secret': (api, credential) =>
    api.post(`${pathOf(credential)}/rotate-secret`, { compromised: true }),
};

const anyOf = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

describe('the lease, with two processes that are paused at random during elections', () => {
  let world: OAuthWorld;
  let going = true;
  const lives: TokenLife[] = [];
  const tally: Tally = {
    asked: 0,
    accepted: 0,
    unavailable: 0,
    unanswered: 0,
    askedOfDead: 0,
    broken: [],
    ends: {},
    pauses: 0,
    elections: {},
  };

  const database = new TestDatabase();
  let set: ReplicaSet;
  let views: SetView[];

  beforeAll(async () => {
    set = await ReplicaSet.start();
    views = [set.view, await set.addView()];
    const envOf = (index: number): Record<string, string> => ({ MONGODB_URI: views[index]!.uri(database.uri) });
    world = await OAuthWorld.start(2, { database, envOf });
  });

  afterAll(async () => {
    for (const { pid } of world.services) process.kill(pid, 'SIGCONT');
    await world.stop();
    await set.stop();
  });

  /** Makes credentials of the operation, with a token, and ends them, one after another. */
  async function endAgainAndAgain(operationId: string): Promise<void> {
    while (going) {
      const client = await aCredential(anyOf(world.apis), operationId, {
        apis: world.keys,
        allowedIps: ['127.0.0.1'],
      }).catch(() => undefined);
      if (client === undefined) continue; // a process was paused for too long: 503
      await endOneDay(client).finally(() =>
        anyOf(world.apis)
          .delete(pathOf(client))
          .catch(() => undefined),
      );
    }
  }

  async function endOneDay(client: CredentialBody): Promise<void> {
    const answer = await anyOf(world.apis)
      .token(client)
      .catch(() => undefined);
    if (answer?.status !== 200) return;
    const token = answer.body['access_token'] as string;
    const life: TokenLife = { token, deadSinceMs: undefined };
    lives.push(life);
    await pause(100 + Math.random() * 300);
    const [what, end] = anyOf(Object.entries(ENDS));
    const status = await end(anyOf(world.apis), client, token).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status >= 200 && status < 300) {
      life.deadSinceMs = performance.now();
      tally.ends[what] = (tally.ends[what] ?? 0) + 1;
    }
    setTimeout(() => lives.splice(lives.indexOf(life), 1), ASKED_ON_MS);
  }

  /** Keeps a connection busy with questions until enough were asked. */
  async function askOn(load: ForwardAuthLoad<TokenLife>): Promise<void> {
    const sinceMs = performance.now();
    while (going && tally.asked < VERIFICATIONS) {
      const isAhead = tally.asked > ((performance.now() - sinceMs) / 1000) * VERIFICATIONS_A_SECOND;
      if (lives.length === 0 || isAhead || load.pending >= AHEAD || !load.canAsk) {
        await pause(1);
        continue;
      }
      const life = anyOf(lives);
      const deadForMs = life.deadSinceMs === undefined ? undefined : performance.now() - life.deadSinceMs;
      tally.asked += 1;
      if (deadForMs !== undefined) tally.askedOfDead += 1;
      load.ask(life.token, life, (status) => {
        if (status === 503) tally.unavailable += 1;
        if (status === 0) tally.unanswered += 1;
        if (status !== 204) return;
        tally.accepted += 1;
        if (deadForMs !== undefined) tally.broken.push(`accepted ${deadForMs.toFixed(1)} ms after the answer`);
      });
    }
  }

  /** Stops and continues either process: at any moment, for as long as the lease or longer. */
  async function pauseAtRandom(): Promise<void> {
    while (going) {
      await pause(Math.random() * 800);
      const { pid } = anyOf(world.services);
      process.kill(pid, 'SIGSTOP');
      await pause(anyOf([5, 50, 240, 260, 500]) * (0.5 + Math.random()));
      process.kill(pid, 'SIGCONT');
      tally.pauses += 1;
    }
  }

  /** Primaries come and go; those before them do not notice, or those after them know too little. */
  async function electAtRandom(): Promise<void> {
    while (going) {
      await pause(400 + Math.random() * 1_600);
      const before = (await set.state()).primary;
      if (before === null) continue;
      const next = (before + 1 + Math.floor(Math.random() * 2)) % 3;
      const what = anyOf(['deposed', 'fresh', 'step-down']);
      if (what === 'deposed') await deposeBehindTheBack(before, next);
      else if (what === 'fresh') await electOneThatLags(before, next);
      else await set.stepDown(100);
      tally.elections[what] = (tally.elections[what] ?? 0) + 1;
    }
  }

  /** One of the instances goes on with the old primary, which serves what it knew. */
  async function deposeBehindTheBack(before: number, next: number): Promise<void> {
    const view = anyOf(views);
    await view.partition(next);
    await set.elect(next, { oldStays: true });
    await pause(200 + Math.random() * 1_000);
    await set.release(before);
    await view.partition();
  }

  /** The new primary has the latest writes, and does not know yet that a majority has them. */
  async function electOneThatLags(before: number, next: number): Promise<void> {
    await set.freeze(next);
    await pause(Math.random() * 600);
    // nobody but `next` is to be elected, however slow this machine is
    await set.crash(before, NEVER_MS);
    await set.elect(next);
    await pause(200 + Math.random() * 800);
    await set.release(next);
    await set.restart(before);
  }

  const tell = (): void => console.info({ ...tally, broken: tally.broken.length });

  it(
    `accepts none of ${VERIFICATIONS} verifications that began after the answer`,
    async () => {
      const loads = world.services.flatMap(({ url }) =>
        Array.from(
          { length: CONNECTIONS_EACH },
          () => new ForwardAuthLoad<TokenLife>(url, world.resourceServer, world.keys[0]),
        ),
      );
      const operations = await Promise.all(Array.from({ length: ENDERS }, () => anOperation(world.api)));
      const others = Promise.all([
        pauseAtRandom(),
        electAtRandom(),
        ...operations.map(({ id }) => endAgainAndAgain(id)),
      ]);
      const telling = setInterval(tell, TOLD_EVERY_MS);
      try {
        // the others end only by an error
        await Promise.race([Promise.all(loads.map(askOn)), others]);
      } finally {
        going = false;
        clearInterval(telling);
      }
      await others;
      for (const load of loads) load.close();

      tell();
      expect(tally.broken).toStrictEqual([]);
      // or nothing was put to the test
      expect(tally.accepted).toBeGreaterThan(VERIFICATIONS / 20);
      expect(tally.askedOfDead).toBeGreaterThan(VERIFICATIONS / 20);
      expect(tally.pauses).toBeGreaterThan(20);
      expect(Object.values(tally.ends).reduce((sum, count) => sum + count)).toBeGreaterThan(VERIFICATIONS / 3_000);
      expect(Object.keys(tally.ends).sort()).toStrictEqual(Object.keys(ENDS).sort());
      expect(Object.keys(tally.elections).sort()).toStrictEqual(['deposed', 'fresh', 'step-down']);
    },
    120_000 + VERIFICATIONS * MAX_MS_EACH,
  );
});
