import { createReadStream } from 'node:fs';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { encodeTombstone, parseTombstone } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';

const NAME = /^tombstones-(\d{4}-\d{2}-\d{2})-[A-Za-z0-9]+\.ndjson$/;

/** A line that is not a valid tombstone. Its content is unknown, so the tombstones are incomplete. */
export interface UnreadableLine {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** The name of the file of one writer and day. */
export function tombstoneFileName(day: string, writer: string): string {
  return `tombstones-${day}-${writer}.ndjson`;
}

/** The tombstone files of a folder, oldest day first. Ignores other files. */
export async function tombstoneFiles(folder: string): Promise<{ readonly name: string; readonly day: string }[]> {
  const names = (await readdir(folder)).sort();
  return names.flatMap((name) => {
    const day = NAME.exec(name)?.[1];
    return day === undefined ? [] : [{ name, day }];
  });
}

/**
 * Reads all tombstones of the folder, in any order; some may occur twice. Skips a last line without line feed: its
 * writer crashed or is still writing, so it confirmed nothing.
 *
 * @param onUnreadable called for each invalid line; reading continues
 * @param only names of the files to read; undefined for all
 */
export async function* readTombstones(
  folder: string,
  onUnreadable: (line: UnreadableLine) => void,
  only?: ReadonlySet<string>,
): AsyncGenerator<Tombstone, void, undefined> {
  const read = new Set<string>();
  for (let again = true; again;) {
    again = false;
    for (const { name } of await tombstoneFiles(folder)) {
      if (read.has(name) || only?.has(name) === false) continue;
      try {
        yield* readFile(folder, name, onUnreadable);
        read.add(name);
      } catch (error) {
        // compacted in the meantime: its lines are in a new file
        if (!isMissing(error)) throw error;
        again = true;
      }
    }
  }
}

async function* readFile(
  folder: string,
  file: string,
  onUnreadable: (line: UnreadableLine) => void,
): AsyncGenerator<Tombstone, void, undefined> {
  const whole = await wholeBytes(join(folder, file));
  if (whole === 0) return;
  const lines = createInterface({
    input: createReadStream(join(folder, file), { end: whole - 1 }),
    crlfDelay: Infinity,
  });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    try {
      yield parseTombstone(line);
    } catch (error) {
      onUnreadable({ file, line: number, reason: error instanceof Error ? error.message : 'it cannot be read' });
    }
  }
}

/** The number of bytes that form complete lines. */
async function wholeBytes(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const chunk = Buffer.alloc(4_096);
    for (let end = size; end > 0;) {
      const length = Math.min(chunk.length, end);
      await file.read(chunk, 0, length, end - length);
      const feed = chunk.subarray(0, length).lastIndexOf(0x0a);
      if (feed >= 0) return end - length + feed + 1;
      end -= length;
    }
    return 0;
  } finally {
    await file.close();
  }
}

/** Writes a file under a temporary name and renames it once it is on disk. */
export async function writeTombstoneFile(folder: string, name: string, tombstones: Iterable<Tombstone>): Promise<void> {
  const draft = join(folder, `.${name}.tmp`);
  const file = await open(draft, 'w', 0o600);
  try {
    for (const tombstone of tombstones) await file.appendFile(encodeTombstone(tombstone));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, name));
  await syncFolder(folder);
}

/** Removes files. Ignores missing ones. */
export async function removeTombstoneFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await unlink(join(folder, name)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }
  await syncFolder(folder);
}

/** Makes new and removed names durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
