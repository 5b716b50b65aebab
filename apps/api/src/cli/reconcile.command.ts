import { ConfigError } from '#config';
import { TombstoneLog } from '#events';
import { DomainError } from '#kernel';
import { Reconciliation, RecoveryModule, RestoreCheck, isSound } from '#recovery';
import type { ReconciliationStep } from '#recovery';
import { parseArguments } from './cli.ts';
import type { Command, CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { withStore } from './store-commands.ts';

const LAST_PLATFORM_ADMIN =
  'It is the last enabled platform-admin of this database. Make another one with `latchkey admin-reset --username NAME`, ' +
  'with a new name, and run `latchkey reconcile` again.';

/** Ends again what a restored backup brought back to life. */
export const reconcileCommand: Command = {
  name: 'reconcile',
  synopsis: '[--dry-run]',
  summary: 'End again what a restored backup brought back to life.',
  details: [
    '  --dry-run   say what would be done, and change nothing',
    '',
    'It compares the tombstones in LATCHKEY_TOMBSTONE_DIR with the database. What lives though it was ended is ended again,',
    'one transaction and event each; an event log that ends too early gets the event `log.reconciled.v1`.',
    'It is configured by the variables of `serve`. Exit code 0: the database agrees with the tombstones (with --dry-run:',
    'already). 1: it does not, or a tombstone cannot be read. 69: MongoDB could not be reached.',
  ],
  run(context) {
    const options = { 'dry-run': { type: 'boolean', default: false } } as const;
    const { values } = parseArguments({ args: [...context.args], options });
    return withStore(context, [RecoveryModule], async (app) => {
      if (app.get(TombstoneLog).folder === undefined) throw new ConfigError(['LATCHKEY_TOMBSTONE_DIR is required']);
      return reconcile(app.get(RestoreCheck), app.get(Reconciliation), context, values['dry-run']);
    });
  },
};

async function reconcile(
  check: RestoreCheck,
  reconciliation: Reconciliation,
  { stdout, stderr }: CommandContext,
  dryRun: boolean,
): Promise<number> {
  const findings = await check.run();
  for (const { file, line, reason } of findings.unreadable) {
    stderr.write(`${file}, line ${line}: ${reason}. Correct the line or, if nothing of it can be read, remove it.\n`);
  }
  const steps = reconciliation.steps(findings);
  let done = 0;
  for (const step of steps) {
    const obstacle = dryRun ? undefined : await obstacleTo(step);
    if (obstacle !== undefined) {
      stderr.write(`not reconciled: ${step.what}. ${obstacle}\n`);
      continue;
    }
    done += 1;
    stdout.write(`${dryRun ? 'would reconcile' : 'reconciled'}: ${step.what}\n`);
  }
  if (dryRun) {
    stdout.write(`To reconcile: ${steps.length}.\n`);
    return isSound(findings) ? EXIT.ok : EXIT.failed;
  }
  const left = await check.run();
  stdout.write(`Reconciled: ${done}; left: ${reconciliation.steps(left).length}.\n`);
  return isSound(left) ? EXIT.ok : EXIT.failed;
}

/** Does the step. @returns why it cannot be done, and what to do */
async function obstacleTo(step: ReconciliationStep): Promise<string | undefined> {
  try {
    await step.run();
    return undefined;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'last-platform-admin') throw error;
    return LAST_PLATFORM_ADMIN;
  }
}
