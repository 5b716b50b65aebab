import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeTombstone } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';
import { syncFolder, tombstoneFileName } from './tombstone-files.ts';

interface PendingWrite {
  readonly text: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends tombstones to this process's file of the day and waits until they are on disk. Tombstones that arrive during
 * a write share the next one (group commit), so that a thousand deletions need no thousand fsyncs.
 */
export class TombstoneWriter {
  private waiting: PendingWrite[] = [];
  private writing: Promise<void> | undefined;
  private current: { readonly handle: FileHandle; readonly day: string } | undefined;

  /** @param today the current day, such as `2026-11-27` */
  constructor(
    private readonly folder: string,
    private readonly today: () => string,
  ) {}

  /** Resolves once the tombstones are on disk. @throws an error of the file system; the outcome is then unknown */
  append(tombstones: readonly Tombstone[]): Promise<void> {
    const text = tombstones.map(encodeTombstone).join('');
    const written = new Promise<void>((resolve, reject) => this.waiting.push({ text, resolve, reject }));
    this.writing ??= this.drain();
    return written;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.closeFile();
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.write(batch.map(({ text }) => text).join(''));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // part of a line may be written; start a new file, so that it stays the last line of this one
        await this.closeFile().catch(() => undefined);
        for (const { reject } of batch) reject(error);
      }
    }
    this.writing = undefined;
  }

  private async write(text: string): Promise<void> {
    const handle = await this.file();
    await handle.appendFile(text);
    await handle.datasync();
    // a file that was removed in the meantime is lost
    if ((await handle.stat()).nlink === 0) throw new Error('the tombstone file was removed');
  }

  private async file(): Promise<FileHandle> {
    const day = this.today();
    if (this.current?.day === day) return this.current.handle;
    await this.closeFile();
    const name = tombstoneFileName(day, randomBytes(6).toString('hex'));
    const handle = await open(join(this.folder, name), 'ax', 0o600);
    this.current = { handle, day };
    await syncFolder(this.folder);
    return handle;
  }

  private async closeFile(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.handle.close();
  }
}
