import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeTombstone } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';
import { syncFolder, tombstoneFileName } from './tombstone-files.ts';

interface Waiting {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends tombstones to this process's file of the day and waits until they are on the disk. Those that come while one write is under
 * way share the next one (group commit), so that a thousand deletions a second need no thousand fsyncs.
 */
export class TombstoneWriter {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;
  private current: { readonly handle: FileHandle; readonly day: string } | undefined;

  /** @param today the day of a file, as `2026-11-27` */
  constructor(
    private readonly folder: string,
    private readonly today: () => string,
  ) {}

  /** Resolves when the tombstones are on the disk. @throws the file system's error; then it is not known whether they are */
  append(tombstones: readonly Tombstone[]): Promise<void> {
    const text = tombstones.map(encodeTombstone).join('');
    const written = new Promise<void>((resolve, reject) => this.waiting.push({ text, resolve, reject }));
    this.writing ??= this.drain();
    return written;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.leaveFile();
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.write(batch.map(({ text }) => text).join(''));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // half a line may be there: the next write begins another file, so that it stays the last one of this
        await this.leaveFile().catch(() => undefined);
        for (const { reject } of batch) reject(error);
      }
    }
    this.writing = undefined;
  }

  private async write(text: string): Promise<void> {
    const handle = await this.file();
    await handle.appendFile(text);
    await handle.datasync();
    // a file that was removed meanwhile keeps nothing
    if ((await handle.stat()).nlink === 0) throw new Error('the tombstone file was removed');
  }

  private async file(): Promise<FileHandle> {
    const day = this.today();
    if (this.current?.day === day) return this.current.handle;
    await this.leaveFile();
    const name = tombstoneFileName(day, randomBytes(6).toString('hex'));
    const handle = await open(join(this.folder, name), 'ax', 0o600);
    this.current = { handle, day };
    await syncFolder(this.folder);
    return handle;
  }

  private async leaveFile(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.handle.close();
  }
}
