import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { disagreements, settled } from '../support/agreement.ts';
import { Api } from '../support/api.ts';
import type { CredentialBody } from '../support/api.ts';
import { aCredential, anApi, anOperation, pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { forgeJob, withQueue } from '../support/queues.ts';
import { Service, eventually, startService } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const KILLS = 3;
const TOKENS = 4;

/** Jobs that the service does not make, and may find in its queue all the same. */
const forged: [string, { name?: string; data: unknown }][] = [
  ['empty', { data: {} }],
  ['without data', { data: undefined }],
  ['of rows that are not there', { name: 'drop-everything', data: { outboxIds: ['ev_unknown'] } }],
  ['naming no rows', { data: { outboxIds: [] } }],
  ['with an operator for the rows', { data: { outboxIds: { $ne: null } } }],
  ['with an operator for a row', { data: { outboxIds: [{ $ne: null }] } }],
  ['with more than it may have', { data: { outboxIds: ['ev_unknown'], credentialId: '*', subjectId: { $gt: '' } } }],
  ['of more rows than a job has', { data: { outboxIds: Array.from({ length: 101 }, (_, n) => `ev_${n}`) } }],
];

describe('workers', () => {
  const database = new TestDatabase();
  let http: Service;
  let admin: Api;
  let proxy: TcpProxy;
  let worker: Service;
  let operationId: string;
  let api: string;

  beforeAll(async () => {
    http = await startService({ database, env: { LATCHKEY_ROLE: 'http' } });
    admin = new Api(http.url);
    operationId = (await anOperation(admin)).id;
    api = (await anApi(admin)).key;
    proxy = await TcpProxy.before(database.uri);
    worker = new Service(database, {
      database,
      awaitReady: false, // it may be hanging in the middle of a job before it could say that it is ready
      env: { LATCHKEY_ROLE: 'worker', MONGODB_URI: proxy.storeUri(database.uri) },
    });
  });
  afterEach(() => worker.stop('SIGKILL'));
  afterAll(async () => {
    await http.stop();
    await database.drop();
    await proxy.away();
  });

  async function withTokens(): Promise<CredentialBody> {
    const credential = await aCredential(admin, operationId, { apis: [api] });
    await Promise.all(Array.from({ length: TOKENS }, () => admin.token(credential)));
    return credential;
  }

  async function stored(credential: CredentialBody): Promise<number> {
    return (await database.collection('tokens')).countDocuments({ credentialId: credential.id });
  }

  async function purges(credential: CredentialBody): Promise<unknown[]> {
    const events = await admin.events({ type: 'tokens.purged.v1', subject: credential.id });
    return events.map(({ data }) => data['count']);
  }

  /** Waits until nothing is left in the queue that a worker would work. */
  async function worked(name: 'token-purge' | 'maintenance'): Promise<void> {
    await withQueue(database, name, (queue) =>
      eventually(async () => {
        // of maintenance there is always something to come
        const delayed = name === 'token-purge' ? (['delayed'] as const) : [];
        const counts = await queue.getJobCounts('wait', 'active', 'prioritized', ...delayed);
        return Object.values(counts).every((count) => count === 0);
      }, 60_000),
    );
  }

  it('killed three times during a purge finally leave no token, and one event', async () => {
    const credential = await withTokens();
    await admin.delete(pathOf(credential));
    for (let kill = 0; kill < KILLS; kill += 1) {
      // the tokens are deleted in its transaction, the event is on its way
      const midway = proxy.hangAt({ text: 'tokens.purged.v1' });
      await worker.start();
      await midway;
      await worker.kill();
      proxy.cut();
      proxy.hang(false);
      expect(await stored(credential)).toBe(TOKENS);
    }
    await worker.start();
    await settled(database);
    expect(await stored(credential)).toBe(0);
    expect(await purges(credential)).toEqual([TOKENS]);
    expect(await disagreements(database)).toEqual([]);
  });

  it('do the work of a job even after it failed permanently', async () => {
    const credential = await withTokens();
    await worker.start();
    await proxy.away();
    try {
      await admin.delete(pathOf(credential));
      await withQueue(database, 'token-purge', (queue) => eventually(async () => (await queue.getFailedCount()) > 0));
    } finally {
      await proxy.open();
    }
    await settled(database);
    expect(await purges(credential)).toEqual([TOKENS]);
    const kept = await withQueue(database, 'token-purge', (queue) => queue.getFailedCount());
    expect(kept).toBeGreaterThan(0);
    expect(await disagreements(database)).toEqual([]);
  });

  it('keep running and touch no other tokens if jobs arrive repeatedly, late or forged', async () => {
    const bystander = await withTokens();
    const doomed = [await withTokens(), await withTokens()];
    for (const credential of doomed) await admin.delete(pathOf(credential));
    const rows = await (await database.collection<{ _id: string }>('outbox')).find().toArray();
    const outboxIds = rows.map(({ _id }) => _id);
    expect(outboxIds).toHaveLength(doomed.length);
    for (let again = 0; again < 4; again += 1) await forgeJob(database, 'token-purge', { data: { outboxIds } });
    for (const [, job] of forged) await forgeJob(database, 'token-purge', job);
    await forgeJob(database, 'token-purge', { data: { outboxIds: [bystander.id, bystander.clientId, operationId] } });
    await forgeJob(database, 'maintenance', { name: 'drop-everything', data: { credentialId: bystander.id } });
    await worker.start();
    await settled(database);
    await worked('token-purge');
    // late: when all is long done
    await forgeJob(database, 'token-purge', { data: { outboxIds }, options: { delay: 500 } });
    await worked('token-purge');
    await worked('maintenance');

    expect(await stored(bystander)).toBe(TOKENS);
    for (const credential of doomed) expect(await purges(credential)).toEqual([TOKENS]);
    const last = await withTokens();
    await admin.delete(pathOf(last));
    await settled(database);
    expect(await purges(last)).toEqual([TOKENS]);
    expect(await disagreements(database)).toEqual([]);
  });

  it('fail an unknown job immediately, and keep it for inspection', async () => {
    const failed = (): Promise<number> => withQueue(database, 'token-purge', (queue) => queue.getFailedCount());
    const before = await failed();
    // retried, they would wait for ten minutes
    const options = { attempts: 5, backoff: 600_000 };
    for (const [, job] of forged) await forgeJob(database, 'token-purge', { ...job, options });
    await worker.start();
    await worked('token-purge');
    const sound = forged.filter(([what]) => what === 'of rows that are not there');
    expect(await failed()).toBe(before + forged.length - sound.length);
    await eventually(() => worker.log.filter(({ msg }) => msg === 'job failed').length >= forged.length - sound.length);
  });
});
