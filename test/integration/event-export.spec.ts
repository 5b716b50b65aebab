import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ExportEventsCommand } from '#audit';
import { chainName } from '#chain';
import { EventLog } from '#events';
import type { ExportRequest } from '../../libs/audit/commands/export-events.command.ts';
import { chainEvents, emptyHead } from '../../libs/chain/chain.ts';
import type { EventDraft } from '../../libs/chain/chain.ts';
import { TestDatabase } from '../support/database.ts';
import { parseLines, putEvents, stored, tell, textOf, verifyText } from '../support/event-log/store.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const database = new TestDatabase();
const HOUR_MS = 3_600_000;
const START = new Date('2026-02-01T00:00:00.000Z');
const after = (ms: number): Date => new Date(START.getTime() + ms);
let instance: Instance;

beforeAll(async () => {
  instance = await startInstance(database);
  await putEvents(database, 'op_a', 1500, START);
  await putEvents(database, 'op_b', 700, after(HOUR_MS / 4));
  await (await database.collection('refusals')).insertMany([refusal(1), refusal(2)] as never[]);
});
afterAll(async () => {
  await instance.app.close();
  await database.drop();
});

function refusal(minute: number): object {
  return {
    _id: `digest-${minute}`,
    id: `ev_refused${minute}`,
    minute: after(minute * 60_000),
    operationId: 'op_a',
    subject: { type: 'credential', id: 'cr_1' },
    reason: 'wrong-secret',
    count: 3,
    addresses: ['192.0.2.1', '192.0.2.2'],
  };
}

async function exported(request: Partial<ExportRequest> = {}): Promise<string> {
  return textOf(await instance.commands.execute(new ExportEventsCommand(callBy(), { format: 'ndjson', ...request })));
}

describe('an export', () => {
  it('has all events of all chains, oldest first, ends with its own event, and verifies', async () => {
    const text = await exported();
    const events = parseLines(text);
    const ats = events.filter(({ operationId }) => operationId !== 'op_disorder').map(({ at }) => at);
    expect(ats).toEqual([...ats].sort());
    const issued = events.filter(({ type }) => type === 'token.issued.v1').map(({ operationId }) => operationId);
    expect(issued.filter((operationId) => operationId === 'op_a')).toHaveLength(1500);
    expect(issued.filter((operationId) => operationId === 'op_b')).toHaveLength(700);
    expect(events.filter(({ type }) => type === 'sign-in.refused.v1')).toEqual([
      expect.objectContaining({
        id: 'ev_refused1',
        seq: null,
        hash: null,
        outcome: 'refused',
        actor: { type: 'client', id: 'cr_1', ip: null },
        data: {
          reason: 'wrong-secret',
          count: 3,
          addresses: ['192.0.2.1', '192.0.2.2'],
          minute: '2026-02-01T00:01:00.000Z',
        },
      }),
      expect.objectContaining({ id: 'ev_refused2' }),
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'events.exported.v1',
      operationId: null,
      actor: { type: 'user', id: 'us_test', ip: '192.0.2.1' },
      data: { format: 'ndjson', operationId: null, from: null, to: null },
    });
    const { exit, out } = await verifyText([text], null);
    expect({ exit, out }).toMatchObject({ exit: 0, out: expect.stringMatching(/2 refusal summaries/) });
  });

  it('of one operation has only that operation’s chain, including the event of the export', async () => {
    const events = parseLines(await exported({ operationId: 'op_b' }));
    expect(new Set(events.map(({ operationId }) => operationId))).toEqual(new Set(['op_b']));
    expect(events.at(-1)).toMatchObject({ type: 'events.exported.v1', data: { operationId: 'op_b' } });
    const own = parseLines(await exported({ chains: ['op_b', 'op_none'].map(chainName) }));
    expect(own.every(({ operationId }) => operationId === 'op_b')).toBe(true);
    await expect(exported({ operationId: 'op_none' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('of a period has a run of each chain with every event of the period, and verifies as a part', async () => {
    const text = await exported({ from: after(600_000), to: after(1_200_000) });
    const events = parseLines(text).filter(({ type }) => type === 'token.issued.v1');
    const seqsOf = (chain: string): number[] =>
      events.filter(({ operationId }) => operationId === chain).map(({ seq }) => seq);
    expect(seqsOf('op_a')).toEqual(Array.from({ length: 600 }, (_, index) => 601 + index));
    expect(seqsOf('op_b')).toEqual(Array.from({ length: 300 }, (_, index) => 1 + index));
    expect(await verifyText([text], null, '--partial')).toMatchObject({ exit: 0 });
    expect((await verifyText([text], null)).exit).toBe(1);
    expect(parseLines(await exported({ from: after(48 * HOUR_MS), to: after(49 * HOUR_MS) }))).toEqual([]);
  });

  it('of a period is contiguous even if times and seqs are not in the same order', async () => {
    const draft = (place: number, ms: number): EventDraft => ({
      ...{
        id: `ev_disorder_${place}`,
        operationId: 'op_disorder',
        type: 'token.issued.v1',
        at: after(ms).toISOString(),
      },
      actor: { type: 'client', id: 'c', ip: null },
      subject: { type: 'credential', id: 'cr' },
      ...{ outcome: 'success', data: {}, requestId: null },
    });
    const logged = chainEvents(
      emptyHead(chainName('op_disorder')),
      [10, 31, 30, 20, 29, 39, 38, 45, 40].map((ms, place) => draft(place, ms)),
    );
    await (await database.collection('events')).insertMany(logged.map(stored) as never[]);
    const { seq, hash } = logged.at(-1)!;
    await (await database.collection('chain_heads')).insertOne({ _id: 'op_disorder' as never, seq, hash });
    const text = await exported({ operationId: 'op_disorder', from: after(30), to: after(40) });
    expect(parseLines(text).map((event) => event.seq)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(await verifyText([text], null, '--partial')).toMatchObject({ exit: 0 });
  });

  it('ends where the chains ended at its start, while others keep writing', async () => {
    let writing = true;
    const writers = [0, 1].map(async (writer) => {
      for (let n = 0; writing; n += 1) await tell(instance, `op_live_${writer}`, { n }, 20_000);
    });
    await tell(instance, 'op_live_0');
    const texts = [];
    for (let round = 0; round < 5; round += 1) texts.push(await exported());
    writing = false;
    await Promise.all(writers);
    for (const text of texts) expect(await verifyText([text], null)).toMatchObject({ exit: 0 });
  });

  it('reads from the store only as fast as its reader, and stops when the reader disconnects', async () => {
    const find = jest.spyOn(instance.app.get(EventLog).events.collection, 'find');
    try {
      const stream = await instance.commands.execute(new ExportEventsCommand(callBy(), { format: 'ndjson' }));
      const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      await chunks.next();
      await pause(100); // what it would read ahead, it would read now
      const queries = find.mock.calls.length;
      const chains = await (await database.collection('chain_heads')).countDocuments();
      expect(queries).toBeLessThanOrEqual(chains + 1);
      stream.destroy();
      await expect(chunks.next()).rejects.toThrow('Premature close');
      await pause(100);
      expect(find.mock.calls).toHaveLength(queries);
    } finally {
      find.mockRestore();
    }
  });

  it('is aborted instead of omitting unreadable events', async () => {
    const stream = await instance.commands.execute(
      new ExportEventsCommand(callBy(), { format: 'ndjson', operationId: 'op_a' }),
    );
    const heads = await database.collection<{ _id: string }>('chain_heads');
    const events = await database.collection('events');
    // a retention that drops what the export has still to read
    const gone = await events.find({ chain: 'op_a', seq: { $gt: 1000, $lte: 1400 } }).toArray();
    const reading = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    await reading.next();
    await events.deleteMany({ chain: 'op_a', seq: { $gt: 1000, $lte: 1400 } });
    const archive = { throughSeq: 1400, hash: 'h', checkpointId: 'cp', file: 'f', sha256: 's', dropped: true };
    await heads.updateOne({ _id: 'op_a' }, { $set: { archive } });
    await expect(
      (async () => {
        while ((await reading.next()).done !== true);
      })(),
    ).rejects.toThrow('was archived up to 1400');
    await events.insertMany(gone);
    await heads.updateOne({ _id: 'op_a' }, { $unset: { archive: 1 } });
    expect(await verifyText([await exported()], null)).toMatchObject({ exit: 0 });
  });

  it('as CSV has the same events', async () => {
    const records = (await exported({ format: 'csv', operationId: 'op_b' })).split('\r\n');
    expect(records[0]).toBe('id,seq,operationId,type,at,outcome,actor,subject,data,requestId,prevHash,hash');
    const events = parseLines(await exported({ operationId: 'op_b' }));
    // the last event of the later export is the later export's
    expect(records.slice(1, -1).map((record) => record.split(',')[0])).toEqual(events.slice(0, -1).map(({ id }) => id));
    expect(records.at(-1)).toBe('');
  });
});
