import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExportEventsCommand, VerifyLogQuery } from '#audit';
import { UnitOfWork } from '#events';
import { DomainEvent } from '#kernel';
import { MongoStore } from '#mongo';
import { Occurrence } from '../../libs/events/unit-of-work/occurrence.ts';
import { ChainHealth } from '../../libs/events/health/chain-health.ts';
import { TestDatabase } from '../support/database.ts';
import { parseLines, tell, textOf, verifyText } from '../support/event-log/store.ts';
import { callBy, outcomes, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const database = new TestDatabase();
let instances: Instance[];

beforeAll(async () => {
  instances = await Promise.all([startInstance(database), startInstance(database)]);
});
afterAll(async () => {
  await Promise.all(instances.map(({ app }) => app.close()));
  await database.drop();
});

const exported = async (operationId?: string): Promise<string> =>
  textOf(await instances[0]!.commands.execute(new ExportEventsCommand(callBy(), { format: 'ndjson', operationId })));

describe('the event log', () => {
  it('has no gap and no fork after 100 concurrent writes at two instances', async () => {
    const chains = ['op_race_a', 'op_race_b', null];
    const written = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, n) => tell(instances[n % 2]!, chains[n % 3]!, { n }, 25_000)),
    );
    expect(outcomes(written)).toEqual({ done: 100, codes: [] });
    const events = parseLines(await exported()).filter(({ type }) => type === 'operation.updated.v2');
    expect(events.map(({ data }) => data['n']).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    for (const chain of chains.slice(0, 2)) {
      const seqs = events.filter(({ operationId }) => operationId === chain).map(({ seq }) => seq);
      expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => index + 1));
    }
    expect(await verifyText([await exported()], null)).toMatchObject({ exit: 0 });
    expect(await instances[1]!.queries.execute(new VerifyLogQuery())).toMatchObject({ whole: true });
  });

  it('refuses an action whose event cannot be written, and stores nothing of it', async () => {
    const before = await exported('platform');
    const settings = await database.collection<{ _id: string }>('settings');
    // an event that has no canonical form
    const fraction = new DomainEvent(
      'operation.updated.v2',
      'op_none',
      { type: 'operation', id: 'op_none' },
      { n: 0.5 },
    );
    const action = instances[0]!.app.get(UnitOfWork).run(callBy(), { chains: ['op_none'] }, async (transaction) => {
      transaction.publish(new Occurrence(fraction));
      const { connection } = instances[0]!.app.get(MongoStore);
      await connection
        .collection('settings')
        .insertOne({ _id: 'op_none' as never, value: 'made' }, { session: transaction.session });
    });
    await expect(action).rejects.toThrow(TypeError);
    // a place that is taken by something that the chain does not know of
    const events = await database.collection<{ _id: string }>('events');
    await events.insertOne({ _id: 'ev_in_the_way', chain: 'op_blocked', seq: 1, prevHash: 'x' } as never);
    await expect(tell(instances[0]!, 'op_blocked')).rejects.toMatchObject({ code: 'log-inconsistent' });
    await events.deleteOne({ _id: 'ev_in_the_way' });
    await instances[0]!.app.get(ChainHealth).scan();
    expect(await settings.countDocuments({ _id: 'op_none' })).toBe(0);
    expect(await events.countDocuments({ chain: { $in: ['op_none', 'op_blocked'] } })).toBe(0);
    expect(
      await (await database.collection('chain_heads')).countDocuments({ _id: /^op_(none|blocked)$/ as never }),
    ).toBe(0);
    await tell(instances[0]!, 'op_blocked');
    expect(parseLines(await exported('op_blocked')).map(({ seq }) => seq)).toEqual([1, 2]);
    const added = parseLines(await exported('platform')).slice(parseLines(before).length);
    expect(added.map(({ type }) => type)).not.toContain('operation.updated.v2'); // schedules and our own looking write there too
  });
});
