import type { Command } from './command.ts';
import { adminResetCommand } from './admin-reset.command.ts';
import { migrateCommand } from './migrate.command.ts';
import { reconcileCommand } from './reconcile.command.ts';
import { repairCommand } from './repair.command.ts';
import { serveCommand } from './serve.command.ts';
import { touchRightsCommand } from './touch-rights.command.ts';

/** Every command of `latchkey`, in the order of the help. */
export const commands: readonly Command[] = [
  serveCommand,
  migrateCommand,
  repairCommand,
  reconcileCommand,
  touchRightsCommand,
  adminResetCommand,
];
