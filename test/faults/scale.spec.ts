import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpuSeconds, residentMb } from '../../bench/machine.ts';
import { Api } from '../support/api.ts';
import { aCredential, aResourceServer, anApi, anOperation } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { forgeJob } from '../support/queues.ts';
import { eventually, startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

const CREDENTIALS = 10_000;
const TOKENS_EACH = 10;
const TOKENS = CREDENTIALS * TOKENS_EACH;
const OPERATIONS = 1_000;
const CHUNK = 5_000;
/** What the work may add to the resident memory, in MB: a batch, and what the collector leaves lying about. */
const GROWTH_MB = 170;

async function insert(database: TestDatabase, name: string, documents: readonly object[]): Promise<void> {
  const collection = await database.collection(name);
  for (let from = 0; from < documents.length; from += CHUNK) {
    await collection.insertMany(documents.slice(from, from + CHUNK), { ordered: false });
  }
}

function storedToken(n: number, credentialId: string, operationId: string, expiresAt: Date): object {
  const id = `${credentialId}-${n}`;
  const issuedAt = new Date(expiresAt.getTime() - 3_600_000);
  return {
    _id: id,
    id,
    credentialId,
    operationId,
    clientId: id,
    slot: n,
    scope: [],
    issuedAt,
    expiresAt,
    issuedTo: null,
  };
}

describe('large amounts of data', () => {
  const database = new TestDatabase();
  let service: Service;
  let admin: Api;
  let ask: () => Promise<unknown>;

  beforeAll(async () => {
    service = await startService({ database });
    admin = new Api(service.url);
    const { key } = await anApi(admin);
    const client = await aCredential(admin, (await anOperation(admin)).id, { apis: [key] });
    const server = await aResourceServer(admin, [key]);
    const { body } = await admin.token(client);
    ask = async () => (await admin.introspect(server, body['access_token'] as string, '192.0.2.1')).body['active'];
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  /**
   * Watches the work until nothing is left: that questions are answered, memory stays, and the second half takes no
   * more CPU than the first, give or take the questions.
   */
  async function watch(left: () => Promise<number>, total: number): Promise<void> {
    const { pid } = service;
    const beganAt = cpuSeconds(pid);
    const before = residentMb(pid);
    let most = before;
    let halfwayAt: number | undefined;
    const answers = new Set<unknown>();
    await eventually(async () => {
      answers.add(await ask()); // what takes longer than three seconds is 503
      most = Math.max(most, residentMb(pid));
      const rest = await left();
      if (rest <= total / 2) halfwayAt ??= cpuSeconds(pid);
      return rest === 0;
    }, 480_000);
    expect([...answers]).toEqual([true]);
    expect(most - before).toBeLessThan(GROWTH_MB);
    expect(cpuSeconds(pid) - halfwayAt!).toBeLessThan(2 * (halfwayAt! - beganAt) + 1);
  }

  async function counts(type: string): Promise<number[]> {
    const events = await database.collection<{ type: string; data: { count: number } }>('events');
    const found = await events.find({ type }).toArray();
    return found.map(({ data }) => data.count);
  }

  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

  it('the tokens of many deleted credentials are purged, with one event each, while the service keeps answering', async () => {
    const now = new Date();
    const ids = Array.from({ length: CREDENTIALS }, (_, n) => ({
      id: `cr_gone_${n}`,
      operationId: `op_${n % OPERATIONS}`,
    }));
    const inAnHour = new Date(now.getTime() + 3_600_000);
    const tokens = ids.flatMap(({ id, operationId }) =>
      Array.from({ length: TOKENS_EACH }, (_, slot) => storedToken(slot, id, operationId, inAnHour)),
    );
    await insert(database, 'tokens', tokens);
    const rows = ids.map(({ id, operationId }) => ({
      _id: `ev_${id}`,
      queue: 'token-purge',
      eventId: `ev_${id}`,
      eventType: 'credential.deleted.v1',
      operationId,
      subjectId: id,
      requestId: null,
      createdAt: now,
      attempts: 0,
      nextAttemptAt: now,
    }));
    await insert(database, 'outbox', rows);
    const outbox = await database.collection('outbox');
    await watch(() => outbox.countDocuments(), CREDENTIALS);
    const stored = await database.collection('tokens');
    expect(await stored.countDocuments({ operationId: /^op_\d+$/ })).toBe(0);
    const purged = await counts('tokens.purged.v1');
    expect(purged.length).toBe(CREDENTIALS);
    expect(sum(purged)).toBe(TOKENS);
    const { body } = await admin.get('/v1/events/verify');
    expect(body['whole']).toBe(true);
  }, 480_000);

  it('all expired tokens are pruned and counted, while the service keeps answering', async () => {
    const anHourAgo = Date.now() - 3_600_000;
    const tokens = Array.from({ length: TOKENS }, (_, n) =>
      storedToken(0, `cr_old_${n}`, 'op_old', new Date(anHourAgo + n)),
    );
    await insert(database, 'tokens', tokens);
    await forgeJob(database, 'maintenance', { name: 'prune-tokens' });
    const stored = await database.collection('tokens');
    await watch(() => stored.countDocuments({ operationId: 'op_old' }), TOKENS);
    expect(sum(await counts('tokens.pruned.v1'))).toBe(TOKENS);
    expect(await ask()).toBe(true);
  }, 480_000);
});
