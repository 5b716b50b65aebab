import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { StartError } from '../local-stores/processes.ts';
import { BUNDLE } from './build.ts';

/** How long to wait for a database that cannot be reached: a person who waits can interrupt it. */
const WAIT_SECONDS = 24 * 60 * 60;

/**
 * Runs `latchkey migrate` of the built service. What it reports is shown.
 * @param root the checkout
 * @param uri the database, and a user that may make collections and indexes
 * @throws StartError if it fails
 */
export async function migrateDatabase(root: string, uri: string): Promise<void> {
  const child = spawn(process.execPath, [join(root, BUNDLE), 'migrate', '--wait', String(WAIT_SECONDS)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, MIGRATION_MONGODB_URI: uri },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new StartError(`latchkey migrate cannot be run: ${error.message}`)));
    child.once('close', resolve);
  });
  if (code !== 0) throw new StartError('the database could not be brought to this version');
}
