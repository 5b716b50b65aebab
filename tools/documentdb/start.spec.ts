import { readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { ledgerFile, withDatabase } from '../local-stores/index.ts';
import { temporary } from '../local-stores/test-support/temporary.ts';
import type { Temporary } from '../local-stores/test-support/temporary.ts';
import { imageRoot } from './image.ts';
import { startDocumentDb } from './start.ts';
import { whyNoGateway } from './test-support/test-database.ts';

const describeHere = whyNoGateway === null ? describe : describe.skip;

describeHere(`DocumentDB as a store (${whyNoGateway ?? 'on Debian'})`, () => {
  let place: Temporary;
  let data: string | null = null;

  beforeEach(() => {
    place = temporary();
  });
  afterEach(async () => {
    await place.remove();
    if (data !== null) rmSync(data, { recursive: true, force: true });
    data = null;
  });

  async function numbers(uri: string, added?: number): Promise<number[]> {
    const connection = await mongoose.createConnection(withDatabase(uri, 'kept')).asPromise();
    const things = connection.collection('things');
    if (added !== undefined) await things.insertOne({ added });
    const found = await things.find({}, { sort: { added: 1 } }).toArray();
    await connection.close();
    return found.map((thing) => Number(thing['added']));
  }

  it('keeps its data across a stop and a kill of all processes', async () => {
    const first = place.context(true);
    const uri = await startDocumentDb(first);
    data = readlinkSync(join(place.folder, 'documentdb'));
    expect(await numbers(uri, 1)).toEqual([1]);
    await first.ledger.close();

    expect(await numbers(await startDocumentDb(place.context(true)), 2)).toEqual([1, 2]);
    const { processes } = JSON.parse(readFileSync(ledgerFile(place.folder), 'utf8')) as {
      processes: { pid: number }[];
    };
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');

    expect(await numbers(await startDocumentDb(place.context(true)))).toEqual([1, 2]);
  }, 300_000);

  it('refuses data that another process uses, and data that are missing', async () => {
    await startDocumentDb(place.context(true));
    data = readlinkSync(join(place.folder, 'documentdb'));
    const other = temporary();
    try {
      symlinkSync(data, join(other.folder, 'documentdb'));
      await expect(startDocumentDb(other.context(true))).rejects.toThrow(/are in use by process \d+/);
      rmSync(join(other.folder, 'documentdb'));
      symlinkSync(join(imageRoot(), 'data', 'nowhere'), join(other.folder, 'documentdb'));
      await expect(startDocumentDb(other.context(true))).rejects.toThrow(/are gone; remove the link/);
    } finally {
      await other.remove();
    }
  }, 300_000);
});
