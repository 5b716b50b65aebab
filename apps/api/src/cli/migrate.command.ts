import { loadMigrationConfig } from '#config';
import { MigrationError, StoreUnreachable, migrateDatabase, migrations } from '#migrations';
import { parseArguments } from './cli.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';

const DEFAULT_WAIT_SECONDS = 60;

/** Makes and changes collections and indexes, before a new version is started. */
export const migrateCommand: Command = {
  name: 'migrate',
  synopsis: '[--wait SECONDS]',
  summary: 'Bring the database to this version; run it before serve.',
  details: [
    '  --wait SECONDS   how long to wait for a database that cannot be reached (60)',
    '',
    'MIGRATION_MONGODB_URI names the database and a user that may make collections and indexes; without it,',
    'MONGODB_URI is used. Several may run at the same time: one works, the others wait for it.',
    'Exit code 0: the database is ready. 69: it could not be reached.',
  ],
  async run({ args, env, stderr }) {
    const waitMs = waitOf(args) * 1000;
    const { mongodbUri: uri } = loadMigrationConfig(env);
    const say = (line: string): void => void stderr.write(`${line}\n`);
    try {
      const count = await migrateDatabase({ uri, migrations, say, waitMs });
      say(count === 0 ? 'The database is up to date.' : `The database is up to date; migrations run: ${count}.`);
      return EXIT.ok;
    } catch (error) {
      if (error instanceof StoreUnreachable) {
        say(`MongoDB could not be reached within ${waitMs / 1000} s: ${error.message}`);
        return EXIT.unavailable;
      }
      if (!(error instanceof MigrationError)) throw error;
      say(error.message);
      return EXIT.failed;
    }
  },
};

function waitOf(args: readonly string[]): number {
  const { values } = parseArguments({ args: [...args], options: { wait: { type: 'string' } } });
  const seconds = values.wait ?? String(DEFAULT_WAIT_SECONDS);
  if (!/^\d{1,6}$/.test(seconds)) throw new UsageError('--wait takes a number of seconds');
  return Number(seconds);
}
