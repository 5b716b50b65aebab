import { chainName } from '#chain';
import { ChainRepair, RepairModule } from '#recovery';
import { parseArguments } from './cli.ts';
import type { Command, CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { withStore } from './store-commands.ts';

type ChainDiagnosis = Awaited<ReturnType<ChainRepair['diagnose']>>;

/** Mends chains of the event log whose head and events disagree. */
export const repairCommand: Command = {
  name: 'repair',
  synopsis: '[--operation ID] [--dry-run]',
  summary: 'Mend an event log that does not end where its head says.',
  details: [
    '  --operation ID   only this operation’s chain; `platform` for the platform’s',
    '  --dry-run        say what would be done, and change nothing',
    '',
    'It reads and verifies each chain, moves the head to the last event of the contiguous log, and writes the event',
    '`log.repaired.v1` that says so. It removes no event. Instances may be running meanwhile.',
    'It is configured by the variables of `serve`. Exit code 0: every chain is sound now (with --dry-run: already).',
    '1: a chain cannot be mended (the reason is printed) or, with --dry-run, needs to be. 69: MongoDB could not be reached.',
  ],
  run(context) {
    const options = { operation: { type: 'string' }, 'dry-run': { type: 'boolean', default: false } } as const;
    const { values } = parseArguments({ args: [...context.args], options });
    const { operation, 'dry-run': dryRun } = values;
    return withStore(context, [RepairModule], (app) => repair(app.get(ChainRepair), context, operation, dryRun));
  },
};

async function repair(
  chainRepair: ChainRepair,
  { stdout, stderr }: CommandContext,
  operation: string | undefined,
  dryRun: boolean,
): Promise<number> {
  const known = await chainRepair.chains();
  if (operation !== undefined && !known.includes(chainName(operation))) {
    stderr.write('There is no event log of this operation.\n');
    return EXIT.failed;
  }
  const chains = operation === undefined ? known : [chainName(operation)];
  const counts = { sound: 0, repairable: 0, unrepairable: 0 };
  for (const chain of chains) {
    const diagnosis = await chainRepair.diagnose(chain);
    counts[diagnosis.state] += 1;
    if (diagnosis.state === 'repairable' && !dryRun) await chainRepair.repair(diagnosis);
    if (diagnosis.state !== 'sound') stdout.write(`${describe(diagnosis, dryRun)}\n`);
  }
  const done = dryRun ? 'to mend' : 'mended';
  stdout.write(`Chains: ${chains.length}; sound: ${counts.sound}; ${done}: ${counts.repairable}; `);
  stdout.write(`cannot be mended: ${counts.unrepairable}.\n`);
  return counts.unrepairable > 0 || (dryRun && counts.repairable > 0) ? EXIT.failed : EXIT.ok;
}

function describe(diagnosis: Exclude<ChainDiagnosis, { state: 'sound' }>, dryRun: boolean): string {
  const { chain, head } = diagnosis;
  if (diagnosis.state === 'unrepairable') return `${chain}: cannot be mended. ${diagnosis.reason}`;
  const { end } = diagnosis;
  const from = head === null ? 'there was no head' : `from ${head.seq} (${head.hash})`;
  return `${chain}: the head ${dryRun ? 'would be' : 'was'} moved to ${end.seq} (${end.hash}), ${from}.`;
}
