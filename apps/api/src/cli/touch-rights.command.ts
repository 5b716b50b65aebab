import { loadMigrationConfig } from '#config';
import { touchRights } from '#events';
import { isStoreUnavailable } from '#mongo';
import { parseArguments } from './cli.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';

/** Tells running instances of changes that were made in the database by hand. */
export const touchRightsCommand: Command = {
  name: 'touch-rights',
  synopsis: 'OPERATION | platform | --all',
  summary: 'Have running instances notice changes made in the database by hand.',
  details: [
    '  OPERATION   id of the operation whose credentials or tokens were changed (op_…)',
    '  platform    resource servers or users were changed',
    '  --all       everything, as after a restore',
    '',
    'Instances remember what they read until the service itself changes it. Run this after each change by hand;',
    'when it ends, no instance uses what it read before. MIGRATION_MONGODB_URI or MONGODB_URI names the database.',
    'Exit code 0: done. 1: there is no such operation. 69: the database could not be reached.',
  ],
  async run({ args, env, stdout, stderr }) {
    const scope = scopeOf(args);
    const { mongodbUri } = loadMigrationConfig(env);
    try {
      const count = await touchRights(mongodbUri, scope);
      if (count === 0 && scope !== undefined) {
        stderr.write('There is no operation with this id that has ever been written to.\n');
        return EXIT.failed;
      }
      stdout.write(`Done: ${count}. Every instance reads from the database again what it remembered.\n`);
      return EXIT.ok;
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error;
      stderr.write('The database could not be reached. Nothing may have been done: run the command again.\n');
      return EXIT.unavailable;
    }
  },
};

/** @returns undefined for all */
function scopeOf(args: readonly string[]): string | undefined {
  const options = { all: { type: 'boolean' } } as const;
  const { values, positionals } = parseArguments({ args: [...args], options, allowPositionals: true });
  const [scope, ...rest] = positionals;
  if (rest.length > 0 || (scope === undefined) !== (values.all === true)) {
    throw new UsageError('name one operation, or platform, or --all');
  }
  return scope;
}
