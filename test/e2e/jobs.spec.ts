import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue } from 'bullmq';
import type { Job } from 'bullmq';
import { loadConfig } from '#config';
import { connectRedis } from '#redis';
import { Api } from '../support/api.ts';
import type { Answer, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, anOperation, pathOf, unique } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

interface FailedJob {
  readonly queue: string;
  readonly id: string;
  readonly failure: string;
  readonly attempts: number;
  readonly outboxIds: string[];
}
interface OutboxRow {
  readonly id: string;
  readonly subjectId: string;
  readonly attempts: number;
}

const SECRET = `lk_at_0a1B2c3D4e5F6g7H8i9J0k1L${'x'.repeat(49)}`;

const failed = (api: Api, query = ''): Promise<Answer<PageBody<FailedJob>>> => api.get(`/v1/jobs?state=failed${query}`);
const retry = (api: Api, { queue, id }: Pick<FailedJob, 'queue' | 'id'>): Promise<Answer<ProblemBody>> =>
  api.post<ProblemBody>(`/v1/jobs/${queue}/${encodeURIComponent(id)}/retry`);

describe('failed jobs', () => {
  let service: Service;
  let api: Api;
  let queue: Queue;
  let connection: ReturnType<typeof connectRedis>;

  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
    const { uri, redisUrl } = service.database;
    const { redis } = loadConfig({ MONGODB_URI: uri, REDIS_URL: redisUrl });
    connection = connectRedis(redis, { enableOfflineQueue: true });
    queue = new Queue('token-purge', { prefix: await service.database.redisPrefix(), connection });
  });
  afterAll(async () => {
    await queue.close();
    await connection.quit(); // BullMQ closes only connections that it opened
    await service.stop();
    await service.database.drop();
  });

  /** A job that cannot be done, put there by someone, and failed. */
  async function aFailedJob(data: object = { secret: SECRET }): Promise<Job> {
    const job = await queue.add('token-purge', data, { jobId: unique('poisoned') });
    await eventually(() => job.isFailed());
    return job;
  }

  it('are listed without their payload and without driver messages', async () => {
    const job = await aFailedJob();
    const { status, body, text } = await failed(api);
    expect(status).toBe(200);
    expect(body.items.find(({ id }) => id === job.id)).toEqual({
      queue: 'token-purge',
      id: job.id,
      name: 'token-purge',
      failure: 'UnrecoverableError',
      attempts: 1,
      outboxIds: [],
      createdAt: expect.stringMatching(/Z$/),
      failedAt: expect.stringMatching(/Z$/),
    });
    expect(text).not.toContain('lk_at_');
  });

  it('are counted, and neither repeated nor missed across pages while others fail', async () => {
    const made: (string | undefined)[] = [];
    for (let n = 0; n < 7; n += 1) made.push((await aFailedJob()).id);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Answer<PageBody<FailedJob>> = await failed(
        api,
        `&queue=token-purge&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.nextCursor;
      await aFailedJob();
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => made.includes(id))).toEqual(made.reverse());
    const queues = await api.get<{ items: { name: string; failed: number }[] }>('/v1/queues');
    expect(queues.body.items.map(({ name }) => name)).toEqual(['token-purge', 'maintenance']);
    expect(queues.body.items[0]!.failed).toBeGreaterThan(7);
    expect((await failed(api, '&queue=maintenance')).body.items).toEqual([]);
    expect((await failed(api, '&queue=nonsense')).status).toBe(400);
    expect((await api.get('/v1/jobs?state=active')).status).toBe(400);
  });

  it('are retried at an administrator’s request, which is logged as an event', async () => {
    const job = await aFailedJob();
    await job.updateData({ outboxIds: ['ev_00000000000000000000000000000000'] }); // done long ago: nothing to do
    const target = { queue: 'token-purge', id: job.id! };
    expect((await retry(api, target)).status).toBe(204);
    await eventually(() => job.isCompleted());
    expect(await api.events({ type: 'job.retried.v1', subject: job.id! })).toMatchObject([
      { operationId: null, subject: { type: 'job', id: job.id }, data: { queue: 'token-purge' } },
    ]);
    const again = await retry(api, target);
    expect(again).toMatchObject({ status: 409, body: { type: 'urn:latchkey:problem:job-not-failed' } });
    expect((await retry(api, { queue: 'token-purge', id: 'unknown' })).status).toBe(404);
    expect((await retry(api, { queue: 'nonsense', id: 'unknown' })).status).toBe(400);
    expect(await api.events({ type: 'job.retried.v1', subject: job.id! })).toHaveLength(1);
  });
});

describe('while Redis is unavailable', () => {
  let service: Service;
  let api: Api;
  let proxy: TcpProxy;

  beforeEach(async () => {
    const database = new TestDatabase();
    proxy = await TcpProxy.before(database.redisUrl);
    service = await startService({ database, env: { REDIS_URL: proxy.urlFor(database.redisUrl) } });
    api = new Api(service.url);
  });
  afterEach(async () => {
    await service.stop();
    await proxy.away();
    await service.database.drop();
  });

  it.each(['refuses', 'does not answer'])(
    'and %s, calls that need it end in time, and the outbox shows the waiting work',
    async (how) => {
      const { id } = await anOperation(api);
      const credential = await aCredential(api, id);
      if (how === 'refuses') await proxy.away();
      else proxy.hang(true);
      for (const path of ['/v1/jobs', '/v1/queues']) {
        expect(await api.get(path)).toMatchObject({
          status: 503,
          body: { type: 'urn:latchkey:problem:queue-unavailable' },
        });
      }
      const tried = await retry(api, { queue: 'token-purge', id: 'any' });
      expect({ status: tried.status, again: tried.headers.get('retry-after') }).toEqual({ status: 503, again: '5' });
      expect(await api.events({ type: 'job.retried.v1' })).toEqual([]);
      await api.delete(pathOf(credential));
      const rows = async () => (await api.get<PageBody<OutboxRow>>('/v1/outbox')).body.items;
      await eventually(async () => (await rows()).some(({ attempts }) => attempts > 0));
      const [deletion] = await api.events({ type: 'credential.deleted.v1', operationId: id });
      expect(await rows()).toMatchObject([
        {
          id: deletion!.id,
          queue: 'token-purge',
          eventType: 'credential.deleted.v1',
          operationId: id,
          subjectId: credential.id,
        },
      ]);
      if (how === 'refuses') await proxy.open();
      else proxy.hang(false);
      await eventually(async () => (await rows()).length === 0);
    },
  );
});
