import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { StartError } from '../local-stores/processes.ts';
import { BUNDLE } from './build.ts';
import { withSecretFiles } from './secret-files.ts';

/** How long to wait for a database that cannot be reached: a person who waits can interrupt it. */
const WAIT_SECONDS = 24 * 60 * 60;
const QUIET_MS = 5_000;

/**
 * Runs `latchkey migrate` of the built service. What it reports is shown when it takes long or fails.
 * @param root the checkout
 * @param uri the database, and a user that may make collections and indexes
 * @throws StartError if it fails
 */
export async function migrateDatabase(root: string, uri: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, BUNDLE), 'migrate', '--wait', String(WAIT_SECONDS)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...withSecretFiles(process.env), MIGRATION_MONGODB_URI: uri },
  });
  const progress = new LateProgress();
  child.stderr.on('data', (data: Buffer) => progress.add(data));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new StartError(`latchkey migrate cannot be run: ${error.message}`)));
    child.once('close', resolve);
  });
  progress.end(code !== 0);
  if (code !== 0) throw new StartError('the database could not be brought to this version');
}

/** Progress that nobody needs to read when it is over within seconds, as that of a new database is. */
class LateProgress {
  #held: Buffer[] | null = [];
  readonly #timer = setTimeout(() => this.#show(), QUIET_MS);

  add(data: Buffer): void {
    if (this.#held === null) process.stderr.write(data);
    else this.#held.push(data);
  }

  end(isWanted: boolean): void {
    clearTimeout(this.#timer);
    if (isWanted) this.#show();
  }

  #show(): void {
    for (const data of this.#held ?? []) process.stderr.write(data);
    this.#held = null;
  }
}
