import { randomBytes } from 'node:crypto';
import { CommandBus } from '@nestjs/cqrs';
import { AdminResetModule, ResetAdminCommand } from '#identity';
import { parseArguments } from './cli.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { withStore } from './store-commands.ts';

const DEFAULT_USERNAME = 'admin';
const USERNAME = /^[A-Za-z0-9._@-]{1,64}$/;

/** Lets an administrator in again whose password was lost. */
export const adminResetCommand: Command = {
  name: 'admin-reset',
  synopsis: '[--username NAME]',
  summary: 'Give a platform-admin a new password; make the user when there is none.',
  details: [
    `  --username NAME   the user (${DEFAULT_USERNAME}); case-insensitive`,
    '',
    'It prints a new random password, once. The event log says that it was reset, by the system’s `admin-reset`.',
    'It needs MONGODB_URI and nothing else. Instances may be running: the old password ends immediately.',
    'Exit code 0: reset. 69: MongoDB could not be reached.',
  ],
  run(context) {
    const options = { username: { type: 'string', default: DEFAULT_USERNAME } } as const;
    const { username } = parseArguments({ args: [...context.args], options }).values;
    if (!USERNAME.test(username)) throw new UsageError('--username takes 1 to 64 of A-Z a-z 0-9 . _ @ -');
    return withStore(context, [AdminResetModule], async (app) => {
      const password = randomBytes(18).toString('base64url');
      const done = await app.get(CommandBus).execute(new ResetAdminCommand(username, password));
      const what = done === 'created' ? 'This platform-admin was created.' : 'The password was reset.';
      context.stdout.write(`${what}\n\nuser name  ${username}\npassword   ${password}\n`);
      return EXIT.ok;
    });
  },
};
