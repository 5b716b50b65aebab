import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MongoBinary } from 'mongodb-memory-server-core';
import { isDebianProper, whyNoPackages } from './debian.ts';
import { imageIsReady } from '../documentdb/image.ts';
import { startDocumentDb } from '../documentdb/start.ts';
import type { StoreContext } from './context.ts';
import { startMongod } from './mongod.ts';
import { StartError, onPath } from './processes.ts';

/**
 * Makes sure that a MongoDB, or DocumentDB in its stead, runs.
 * @returns its `mongodb://` URI, without a database's name
 * @throws StartError if there is no way to have one
 */
export async function startMongoDb(context: StoreContext): Promise<string> {
  const { dataFolder, say } = context;
  const earlier = existsSync(join(dataFolder, 'documentdb')) && !existsSync(join(dataFolder, 'mongodb'));
  const program = onPath('mongod');
  if (program !== null && !earlier) return startMongod(program, context);
  if (program !== null) say(`DocumentDB goes on, not ${program}: the data of earlier starts are in DocumentDB`);
  // where DocumentDB was installed, the download had failed before: it is not tried at each start again
  const downloaded = earlier || imageIsReady() ? null : await downloadMongod(context);
  if (downloaded !== null) return startMongod(downloaded, context);
  const obstacle = whyNoPackages() ?? (isDebianProper() ? null : 'this is not Debian itself');
  if (obstacle !== null) throw new StartError(`MongoDB: mongod is not on PATH, could not be fetched, and ${obstacle}`);
  return startDocumentDb(context);
}

/**
 * Fetches mongod, and runs nothing whose checksum is not the one that MongoDB publishes beside it.
 * @returns its path, or null if it cannot be fetched; why has been said
 */
export async function downloadMongod({
  binariesFolder,
  say,
}: Pick<StoreContext, 'binariesFolder' | 'say'>): Promise<string | null> {
  say('MongoDB: mongod is not on PATH; fetching it (once)');
  try {
    return await MongoBinary.getPath({ downloadDir: binariesFolder, checkMD5: true });
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    say(`MongoDB: it cannot be fetched (${why ?? ''})`);
    return null;
  }
}
