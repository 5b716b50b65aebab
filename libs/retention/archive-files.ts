import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ChainName } from '#chain';

const DAY_MS = 24 * 60 * 60 * 1000;
const DIGITS = 12;
const NAME = /^(\d+)-(\d+)\.ndjson$/;

/** An archive file: its path relative to the archive folder, and its SHA-256, lower-case hexadecimal. */
export interface ArchiveFile {
  readonly file: string;
  readonly sha256: string;
}

/**
 * The archive has a folder per chain and a file per run, named by first and last seq; in name order, the files of a
 * chain form one export. A file with its final name is complete and on disk.
 */
export class ArchiveFiles {
  constructor(private readonly folder: string) {}

  /** The path of a run, relative to the archive folder. */
  static nameOf(chain: ChainName, firstSeq: number, lastSeq: number): string {
    const [first, last] = [firstSeq, lastSeq].map((seq) => String(seq).padStart(DIGITS, '0'));
    // an id may have a colon, which some file systems do not allow
    return join(chain.replaceAll(':', '_'), `${first}-${last}.ndjson`);
  }

  /** The last seq of a leftover file that begins at `firstSeq`: its retention was killed before it was recorded. */
  async lastSeqOfLeftover(chain: ChainName, firstSeq: number): Promise<number | undefined> {
    const folder = join(this.folder, dirname(ArchiveFiles.nameOf(chain, firstSeq, firstSeq)));
    const names = await readdir(folder).catch(() => []);
    const runs = names.map((name) => NAME.exec(name)).filter((match) => match !== null);
    const own = runs.filter(([, first]) => Number(first) === firstSeq).map(([, , last]) => Number(last));
    return own.length === 0 ? undefined : Math.max(...own);
  }

  /** Writes a file. It gets its name only when it is complete and on disk. */
  async write(file: string, texts: AsyncIterable<string>): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await removeAbandoned(dirname(path));
    // two instances may write the same run: same bytes, separate temporary files
    const unfinished = `${path}.${process.pid}-${performance.now()}.part`;
    try {
      const handle = await open(unfinished, 'wx', 0o640);
      try {
        for await (const text of texts) await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
    await syncFolder(this.folder);
  }

  /**
   * Reads a file back.
   *
   * @param each receives the lines in batches, without line feeds
   * @returns SHA-256 of the file, lower-case hexadecimal
   * @throws Error when the file does not exist, or does not end with a line feed
   */
  async read(file: string, each: (lines: readonly string[]) => void = () => undefined): Promise<string> {
    const digest = createHash('sha256');
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let rest = '';
    for await (const chunk of createReadStream(join(this.folder, file))) {
      digest.update(chunk as Buffer);
      // not readline, which treats U+2028 as a line end
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      each(lines);
    }
    if (rest + decoder.decode() !== '') throw new Error(`${file} ends within a line`);
    return digest.digest('hex');
  }
}

/** Removes temporary files of killed processes. A running one has written to its file within the last day. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.part') && (await stat(path)).mtimeMs < Date.now() - DAY_MS) await rm(path, { force: true });
  }
}

/** Makes a new file name durable. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
