import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError, endProcess, identify, isRunning } from './processes.ts';
import type { ProcessIdentity, StartedProcess } from './processes.ts';

interface Entry extends ProcessIdentity {
  readonly name: string;
  /** how its kind is asked to end */
  readonly signal: NodeJS.Signals;
}

interface Content {
  readonly owner: ProcessIdentity;
  readonly processes: Entry[];
  /** folders that are worth nothing without their owner */
  readonly ephemeral: string[];
}

const PATIENCE_MS = 15_000;

/**
 * What this process has started, written down as soon as it is: whoever comes after it was killed can clean up.
 */
export class Ledger {
  readonly #file: string;
  readonly #content: Content;
  #closing: Promise<void> | null = null;

  /** @param file where to keep it; what stands there is overwritten, see `clearLeftovers` */
  constructor(file: string) {
    const owner = identify(process.pid);
    if (!owner) throw new Error('this process cannot be identified');
    this.#file = file;
    this.#content = { owner, processes: [], ephemeral: [] };
    mkdirSync(dirname(file), { recursive: true });
    this.#write();
  }

  /**
   * Notes a started process and the signal that ends its kind.
   * @throws StartError, and ends it, if all is being ended
   */
  add(started: StartedProcess, signal: NodeJS.Signals): void {
    if (this.#closing) {
      process.kill(started.identity.pid, signal);
      throw new StartError('interrupted');
    }
    this.#content.processes.push({ ...started.identity, name: started.name, signal });
    this.#write();
  }

  /** Notes a folder that goes with this process. */
  addEphemeral(folder: string): void {
    this.#content.ephemeral.push(folder);
    this.#write();
  }

  /** Ends all of it, the latest first, and removes the ledger. */
  close(): Promise<void> {
    this.#closing ??= clear(this.#file, this.#content);
    return this.#closing;
  }

  #write(): void {
    const temporary = `${this.#file}.new`;
    writeFileSync(temporary, JSON.stringify(this.#content, null, 2));
    renameSync(temporary, this.#file);
  }
}

/**
 * Ends what a process that was killed has left behind.
 * @param file its ledger
 * @param say told about it
 * @returns the owner if that still runs: then nothing was done
 */
export async function clearLeftovers(file: string, say: (line: string) => void): Promise<ProcessIdentity | null> {
  let content: Content;
  try {
    content = JSON.parse(readFileSync(file, 'utf8')) as Content;
  } catch {
    return null; // none, or cut short by a crash of the machine, which ended all processes too
  }
  if (isRunning(content.owner)) return content.owner;
  const left = content.processes.filter(isRunning).map(({ name }) => name);
  if (left.length > 0) say(`ending what an earlier run that was killed has left: ${left.join(', ')}`);
  await clear(file, content);
  return null;
}

async function clear(file: string, content: Content): Promise<void> {
  for (const entry of content.processes.toReversed()) await endProcess(entry, entry.signal, PATIENCE_MS);
  for (const folder of content.ephemeral) rmSync(folder, { recursive: true, force: true });
  rmSync(file, { force: true });
}
