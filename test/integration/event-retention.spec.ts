import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import {
  ExportCheckpointsQuery,
  ExportEventsCommand,
  ListCheckpointKeysQuery,
  SignCheckpointsCommand,
  VerifyLogQuery,
} from '#audit';
import { chainName } from '#chain';
import { Refusals, UnitOfWork } from '#events';
import { StoreClock } from '#mongo';
import { ArchiveEventsCommand } from '#retention';
import type { RetentionReport } from '../../libs/retention/archive-events.command.ts';
import { EventDropper } from '../../libs/retention/event-dropper.ts';
import { TestDatabase } from '../support/database.ts';
import { parseLines, putEvents, tell, textOf, verifyText } from '../support/event-log/store.ts';
import { callBy, startInstance } from '../support/instance.ts';
import type { Instance } from '../support/instance.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DAYS = 30;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-archive-'));
let database: TestDatabase;
let instance: Instance;
let archive: string;

beforeEach(async () => {
  database = new TestDatabase();
  archive = mkdtempSync(join(folder, 'archive-'));
  instance = await startInstance(database, {
    EVENT_RETENTION_DAYS: String(DAYS),
    EVENT_ARCHIVE_DIR: archive,
    EVENT_RETENTION_MONGODB_URI: database.retentionUri,
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await instance.app.close();
  await database.drop();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Lets the store's clock show another time. */
function goTo(ms: number): void {
  jest.spyOn(instance.app.get(StoreClock), 'nowMs').mockReturnValue(ms);
}

/** Chains with a first part that was signed long ago, and a second part. */
async function anOldLog(): Promise<void> {
  const now = Date.now();
  goTo(now - (DAYS + 1) * DAY_MS);
  await putEvents(database, 'op_a', 1_200, new Date(now - (DAYS + 2) * DAY_MS));
  await putEvents(database, 'op_b', 3, new Date(now - (DAYS + 2) * DAY_MS));
  await instance.commands.execute(new SignCheckpointsCommand());
  jest.restoreAllMocks();
  await tell(instance, 'op_a', { n: 1 });
  await tell(instance, 'op_a', { n: 2 });
  await instance.commands.execute(new SignCheckpointsCommand());
}

const retain = (): Promise<RetentionReport> => instance.commands.execute(new ArchiveEventsCommand());
const files = (): string[] =>
  readdirSync(archive, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.'))
    .sort();
const archived = (name: string): string => readFileSync(join(archive, name), 'utf8');
const exported = async (operationId?: string): Promise<string> =>
  textOf(await instance.commands.execute(new ExportEventsCommand(callBy(), { format: 'ndjson', operationId })));
async function seqs(chain: string): Promise<number[]> {
  const found = await (await database.collection('events')).find({ chain }, { sort: { seq: 1 } }).toArray();
  return found.map((event) => Number(event['seq']));
}

async function verified(exports: readonly string[]): Promise<number> {
  const checkpoints: unknown = JSON.parse(
    await textOf(await instance.queries.execute(new ExportCheckpointsQuery(undefined, undefined))),
  );
  const keys = { keys: await instance.queries.execute(new ListCheckpointKeysQuery()) };
  return (await verifyText(exports, { checkpoints, keys }, '--chain', 'op_a')).exit;
}

/** What must hold when a retention is over, however it came about. */
async function expectArchived(): Promise<void> {
  expect(files().filter((name) => name.startsWith('op_a'))).toEqual(['op_a/000000000001-000000001200.ndjson']);
  const rest = await exported('op_a');
  expect((await seqs('op_a'))[0]).toBe(1201);
  expect(parseLines(rest)[0]).toMatchObject({ seq: 1201, data: { n: 1 } });
  const events = parseLines(rest).filter(({ type }) => type === 'events.archived.v1');
  expect(events).toMatchObject([
    {
      actor: { type: 'system', id: 'event-retention', ip: null },
      data: { throughSeq: 1200, count: 1200, file: 'op_a/000000000001-000000001200.ndjson' },
    },
  ]);
  expect(await instance.queries.execute(new VerifyLogQuery(chainName('op_a')))).toMatchObject({
    whole: true,
    chains: [{ firstSeq: 1201, fault: null }],
  });
  expect(await verified([rest])).toBe(0);
  const whole = archived('op_a/000000000001-000000001200.ndjson') + (await exported('op_a'));
  expect(parseLines(whole).map(({ seq }) => seq)[0]).toBe(1);
  expect(await verified([whole])).toBe(0);
}

describe('a retention', () => {
  it('archives and drops events that were signed before its cut-off, logs it, and leaves a log that verifies', async () => {
    await anOldLog();
    const platform = await exported('platform');
    expect(await retain()).toEqual({ archived: 1203 + parseLines(platform).length - 1, refusals: 0 });
    await expectArchived();
    // once more there is nothing to do
    expect(await retain()).toEqual({ archived: 0, refusals: 0 });
    await expectArchived();
  });

  it('continues where the last one ended', async () => {
    await anOldLog();
    await retain();
    const last = (await seqs('op_a')).at(-1)!;
    await instance.commands.execute(new SignCheckpointsCommand());
    goTo(Date.now() + (DAYS + 1) * DAY_MS);
    await retain();
    jest.restoreAllMocks();
    expect(await seqs('op_a')).toEqual([last + 1]);
    const parts = files().filter((name) => name.startsWith('op_a'));
    expect(parts).toHaveLength(2);
    const rest = await exported('op_a');
    expect(await verified([rest])).toBe(0);
    expect(await verified([...parts.map(archived), rest])).toBe(0);
    expect(await verified([parts.map(archived)[1]!, rest])).toBe(0);
    // an archive that is missing is missed
    expect(await verified([parts.map(archived)[0]!, rest])).toBe(1);
  });

  it('drops no event without a checkpoint', async () => {
    await putEvents(database, 'op_a', 10, new Date(Date.now() - (DAYS + 2) * DAY_MS));
    expect(await retain()).toEqual({ archived: 0, refusals: 0 });
    // signed now: its time has not come
    await instance.commands.execute(new SignCheckpointsCommand());
    expect(await retain()).toEqual({ archived: 0, refusals: 0 });
    expect(files()).toEqual([]);
  });

  it('skips a chain that is not whole, and archives the others', async () => {
    await anOldLog();
    const events = await database.collection('events');
    await events.updateOne({ chain: 'op_a', seq: 700 }, { $set: { 'data.secretId': 'se_2' } });
    await expect(retain()).rejects.toThrow('1 chains could not be archived');
    expect(await seqs('op_a')).toHaveLength(1202);
    expect((await seqs('op_b'))[0]).toBe(4);
    // repaired, it still does not take the archive that was made of the forged one
    await events.updateOne({ chain: 'op_a', seq: 700 }, { $set: { 'data.secretId': 'se_1' } });
    await expect(retain()).rejects.toThrow('1 chains could not be archived');
    rmSync(join(archive, 'op_a/000000000001-000000001200.ndjson'));
    await retain();
    await expectArchived();
  });

  it('uses its own database user to drop events, and logs nothing it may not drop', async () => {
    await anOldLog();
    const env = { EVENT_RETENTION_DAYS: String(DAYS), EVENT_ARCHIVE_DIR: archive };
    const barred = await startInstance(database, { ...env, EVENT_RETENTION_MONGODB_URI: database.migrationUri });
    await expect(barred.commands.execute(new ArchiveEventsCommand())).rejects.toThrow('could not be archived');
    await barred.app.close();
    expect(await seqs('op_a')).toHaveLength(1202);
    const allowed = await startInstance(database, { ...env, EVENT_RETENTION_MONGODB_URI: database.retentionUri });
    await allowed.commands.execute(new ArchiveEventsCommand());
    await allowed.app.close();
    await expectArchived();
  });

  it('archives sums of refusals by whole days, and only once', async () => {
    const day = Math.floor((Date.now() - (DAYS + 3) * DAY_MS) / DAY_MS) * DAY_MS;
    const sum = (n: number, ms: number): object => ({
      ...{ _id: `digest-${n}`, id: `ev_refused${n}`, minute: new Date(ms), operationId: null },
      ...{ subject: { type: 'unknown', id: 'unknown' }, reason: 'unknown-client', count: n, addresses: ['192.0.2.1'] },
    });
    const refusals = await database.collection('refusals');
    await refusals.insertMany([sum(1, day), sum(2, day + 60_000), sum(3, day + DAY_MS), sum(4, Date.now())] as never[]);
    // killed when the first day was told of, and none of it dropped
    const model = instance.app.get(Refusals).model;
    const drop = jest.spyOn(model, 'deleteMany').mockImplementationOnce(() => {
      throw new Error('killed');
    });
    await expect(retain()).rejects.toThrow('killed');
    drop.mockRestore();
    expect(await refusals.countDocuments()).toBe(4);
    expect(await retain()).toEqual({ archived: 0, refusals: 3 });
    expect((await refusals.find().toArray()).map(({ count }) => Number(count))).toEqual([4]);
    const names = [day, day + DAY_MS].map((ms) => new Date(ms).toISOString().slice(0, 10));
    expect(files()).toEqual(names.map((name) => `refusals/${name}.ndjson`));
    expect(parseLines(archived(`refusals/${names[0]}.ndjson`)).map(({ id }) => id)).toEqual([
      'ev_refused1',
      'ev_refused2',
    ]);
    const told = parseLines(await exported('platform')).filter(({ type }) => type === 'refusals.archived.v1');
    expect(told).toMatchObject(
      names.map((id, index) => ({ subject: { type: 'day', id }, data: { count: 2 - index } })),
    );
  });
});

describe('a retention that is killed', () => {
  const killed = new Error('killed');

  it('before the archive has its final name starts over', async () => {
    await anOldLog();
    const unfinished = join(archive, 'op_a/000000000001-000000001200.ndjson.1-1.part');
    mkdirSync(dirname(unfinished));
    writeFileSync(unfinished, 'half a line');
    const yesterday = new Date(Date.now() - DAY_MS - 1);
    utimesSync(unfinished, yesterday, yesterday);
    await retain();
    await expectArchived();
  });

  it('after the archive has its final name, before its event, uses that archive', async () => {
    await anOldLog();
    const run = jest.spyOn(instance.app.get(UnitOfWork), 'run').mockRejectedValue(killed);
    await expect(retain()).rejects.toThrow();
    run.mockRestore();
    expect(await seqs('op_a')).toHaveLength(1202);
    expect(files()).toContain('op_a/000000000001-000000001200.ndjson');
    await retain();
    await expectArchived();
  });

  it('after the archive has its final name still ends there, even if a later checkpoint became old enough in the meantime', async () => {
    await anOldLog();
    const run = jest.spyOn(instance.app.get(UnitOfWork), 'run').mockRejectedValue(killed);
    await expect(retain()).rejects.toThrow();
    run.mockRestore();
    goTo(Date.now() + (DAYS + 1) * DAY_MS);
    await retain();
    jest.restoreAllMocks();
    expect(files().filter((name) => name.startsWith('op_a'))).toEqual([
      'op_a/000000000001-000000001200.ndjson',
      'op_a/000000001201-000000001202.ndjson',
    ]);
    const rest = await exported('op_a');
    expect(parseLines(rest)[0]).toMatchObject({ seq: 1203 });
    expect(await verified([rest])).toBe(0);
  });

  it('after the archive has its final name keeps the events, if the policy became longer in the meantime', async () => {
    await anOldLog();
    const run = jest.spyOn(instance.app.get(UnitOfWork), 'run').mockRejectedValue(killed);
    await expect(retain()).rejects.toThrow();
    run.mockRestore();
    goTo(Date.now() - 2 * DAY_MS);
    expect(await retain()).toEqual({ archived: 0, refusals: 0 });
    jest.restoreAllMocks();
    expect(await seqs('op_a')).toHaveLength(1202);
    await retain();
    await expectArchived();
  });

  it('after its event, before the drop, hides the archived events, and the next run drops them', async () => {
    await anOldLog();
    const drop = jest.spyOn(instance.app.get(EventDropper), 'drop').mockRejectedValue(killed);
    await expect(retain()).rejects.toThrow();
    drop.mockRestore();
    expect(await seqs('op_a')).toHaveLength(1203);
    const rest = await exported('op_a');
    expect(parseLines(rest)[0]).toMatchObject({ seq: 1201 });
    expect(await verified([rest])).toBe(0);
    await retain();
    await expectArchived();
  });

  it('during the drop leaves a log that verifies, and the next run continues', async () => {
    await anOldLog();
    const { prototype } = mongoose.mongo.Collection;
    const deleteMany = Reflect.get(prototype, 'deleteMany');
    let calls = 0;
    jest.spyOn(prototype, 'deleteMany').mockImplementation(function (this: mongo.Collection, filter, options) {
      const { chain, seq } = filter as { chain?: string; seq?: object };
      if (chain === 'op_a' && typeof seq === 'object') calls += 1;
      if (calls === 2) return Promise.reject(killed);
      return deleteMany.call(this, filter, options);
    });
    await expect(retain()).rejects.toThrow();
    jest.restoreAllMocks();
    expect((await seqs('op_a'))[0]).toBe(1001);
    expect(await verified([await exported('op_a')])).toBe(0);
    await retain();
    await expectArchived();
  });

  it('during the drop drops nothing further, if its archive is missing or different', async () => {
    await anOldLog();
    const drop = jest.spyOn(instance.app.get(EventDropper), 'drop').mockRejectedValue(killed);
    await expect(retain()).rejects.toThrow();
    drop.mockRestore();
    const path = join(archive, 'op_a/000000000001-000000001200.ndjson');
    const content = readFileSync(path, 'utf8');
    writeFileSync(path, content.replace('"seq":7,', '"seq":8,'));
    await expect(retain()).rejects.toThrow();
    rmSync(path);
    await expect(retain()).rejects.toThrow();
    expect(await seqs('op_a')).toHaveLength(1203);
    writeFileSync(path, content);
    await retain();
    await expectArchived();
  });

  it('or runs at the same time as another one logs one event, and both succeed or fail cleanly', async () => {
    await anOldLog();
    const other = await startInstance(database, {
      EVENT_RETENTION_DAYS: String(DAYS),
      EVENT_ARCHIVE_DIR: archive,
      EVENT_RETENTION_MONGODB_URI: database.retentionUri,
    });
    await Promise.allSettled([retain(), other.commands.execute(new ArchiveEventsCommand())]);
    await retain();
    await other.app.close();
    await expectArchived();
  });
});
