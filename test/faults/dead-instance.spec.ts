import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { Service, eventually, startService } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** MongoDB would end the transaction by itself after a minute at the earliest: until then, only Latchkey can. */
const BEFORE_THE_SWEEP_MS = 25_000;

/** The store keeps the transaction of an instance that is killed, cut off or stopped, and all that it holds. */
describe('an instance that is lost in the middle of a transaction', () => {
  const database = new TestDatabase();
  let proxy: TcpProxy;
  let victim: Service;
  let survivor: Service;
  let admin: Api;
  let credentials: CredentialBody[];

  beforeAll(async () => {
    proxy = await TcpProxy.before(database.uri);
    survivor = await startService({ database });
    admin = new Api(survivor.url);
  });
  afterEach(async () => {
    await victim.stop('SIGKILL');
    proxy.cut();
    proxy.hang(false);
  });
  afterAll(async () => {
    await survivor.stop();
    await database.drop();
    await proxy.away();
  });

  /**
   * Brings it to where a deletion has written everything and not committed.
   * @returns the victim's answer, when it comes
   */
  async function holdTheChain(): Promise<Promise<unknown>> {
    victim = await new Service(database, { database, env: { MONGODB_URI: proxy.storeUri(database.uri) } }).start();
    const { key } = await anApi(admin);
    const operation = await anOperation(admin);
    credentials = await Promise.all([1, 2, 3].map(() => aCredential(admin, operation.id, { apis: [key] })));
    const sprung = proxy.hangAt({ text: 'commitTransaction' });
    const answer = new Api(victim.url).delete(pathOf(credentials[0]!)).then(
      ({ status }) => status,
      () => 'no answer',
    );
    await sprung;
    return Promise.resolve(answer);
  }

  /** The others delete another credential of the same operation, and issue a token. */
  async function expectTheOthersGoOn(): Promise<void> {
    const startedAtMs = performance.now();
    const after = (): string => `${Math.round(performance.now() - startedAtMs)} ms`;
    const [, second, third] = credentials;
    await eventually(async () => (await admin.delete(pathOf(second!))).status === 204, BEFORE_THE_SWEEP_MS);
    const deletedAfter = after();
    await eventually(async () => (await admin.token(third!)).status === 200, BEFORE_THE_SWEEP_MS);
    process.stderr.write(`  deleted after ${deletedAfter}, issued after ${after()}\n`);
  }

  it('by a kill does not block deletions and issuing by others in its operation', async () => {
    await holdTheChain();
    await victim.kill();
    await expectTheOthersGoOn();
  });

  it('by a network cut does not block deletions and issuing by others in its operation', async () => {
    await holdTheChain(); // what it sends goes nowhere from now on
    await expectTheOthersGoOn();
  });

  it('by a pause does not block others, and after resuming does not complete its transaction', async () => {
    const answer = await holdTheChain();
    await victim.kill('SIGSTOP');
    await expectTheOthersGoOn();
    await victim.kill('SIGCONT');
    proxy.hang(false);
    // its transaction is gone, and so is its client's time
    expect(await answer).toBe(503);
    expect((await admin.get(pathOf(credentials[0]!))).status).toBe(200);
    await eventually(async () => (await new Api(victim.url).delete(pathOf(credentials[0]!))).status === 204);
    await settled(database);
    expect(await disagreements(database)).toEqual([]);
  });
});
