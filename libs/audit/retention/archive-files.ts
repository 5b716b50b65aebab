import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const DAY_MS = 24 * 60 * 60 * 1000;
const DIGITS = 12;
const NAME = /^(\d+)-(\d+)\.ndjson$/;

/** A file of an archive: its place below the archive's folder, and its SHA-256, lower-case hexadecimal. */
export interface ArchiveFile {
  readonly file: string;
  readonly sha256: string;
}

/**
 * The files of an archive: a folder for each chain, a file for each run, named by its first and last seq, so that in the order of
 * their names the files of a chain are one export. A file that has its name is whole and on the disk.
 */
export class ArchiveFiles {
  constructor(private readonly folder: string) {}

  /** Where a run of a chain goes, below the folder. */
  static nameOf(chain: string, firstSeq: number, lastSeq: number): string {
    const [first, last] = [firstSeq, lastSeq].map((seq) => String(seq).padStart(DIGITS, '0'));
    // an id may have a colon, which not every file system takes
    return join(chain.replaceAll(':', '_'), `${first}-${last}.ndjson`);
  }

  /** The last seq of a file that begins with this one, left by whoever was killed before the log told of it. */
  async lastSeqOfLeftover(chain: string, firstSeq: number): Promise<number | undefined> {
    const folder = join(this.folder, dirname(ArchiveFiles.nameOf(chain, firstSeq, firstSeq)));
    const names = await readdir(folder).catch(() => []);
    const runs = names.map((name) => NAME.exec(name)).filter((match) => match !== null);
    const own = runs.filter(([, first]) => Number(first) === firstSeq).map(([, , last]) => Number(last));
    return own.length === 0 ? undefined : Math.max(...own);
  }

  /** Writes text as a file. When this is done, the file is whole, on the disk, and has its name; before, it has not. */
  async write(file: string, texts: AsyncIterable<string>): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await removeAbandoned(dirname(path));
    // two that write the same run write the same bytes, each into a file of its own
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
   * @param each gets its lines, without their line feeds, some at a time
   * @returns SHA-256 of what is on the disk, lower-case hexadecimal
   * @throws Error when there is no such file, or it does not end with a line feed
   */
  async read(file: string, each: (lines: readonly string[]) => void = () => undefined): Promise<string> {
    const digest = createHash('sha256');
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let rest = '';
    for await (const chunk of createReadStream(join(this.folder, file))) {
      digest.update(chunk as Buffer);
      // not by readline, to which U+2028 is the end of a line
      const lines = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      each(lines);
    }
    if (rest + decoder.decode() !== '') throw new Error(`${file} ends within a line`);
    return digest.digest('hex');
  }
}

/** What someone who was killed left unfinished. Whoever is alive has written to theirs today. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.part') && (await stat(path)).mtimeMs < Date.now() - DAY_MS) await rm(path, { force: true });
  }
}

/** A new name in a folder is on the disk only when the folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
