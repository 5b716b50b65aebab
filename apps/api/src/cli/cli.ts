import { parseArgs } from 'node:util';
import { ConfigError } from '#config';
import { UsageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';

const DEFAULT_COMMAND = 'serve';
/** Spaces between the columns of the list of commands. */
const GAP = 2;

/**
 * Runs the command that the arguments name, and reports its faults on `stderr`.
 *
 * @param process the arguments after the program's name, the environment, and where to write
 * @param commands the table of commands
 * @returns the exit code, or undefined when the process goes on until a signal ends it
 */
export async function runCli(process: CommandContext, commands: readonly Command[]): Promise<number | undefined> {
  const [name = DEFAULT_COMMAND, ...args] = process.args;
  if (['--help', '-h', 'help'].includes(name)) {
    process.stdout.write(list(commands));
    return EXIT.ok;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    // not repeated: what stands there by mistake may be a secret
    process.stderr.write(`latchkey: there is no such command.\n\n${list(commands)}`);
    return EXIT.usage;
  }
  if (args.some((arg) => ['--help', '-h'].includes(arg))) {
    process.stdout.write(help(command));
    return EXIT.ok;
  }
  try {
    if (command.synopsis === '' && args.length > 0) throw new UsageError('it takes no arguments');
    return await command.run({ ...process, args });
  } catch (error) {
    return report(process, command, error);
  }
}

/**
 * Parses a command's arguments by `node:util`'s `parseArgs`.
 *
 * @throws UsageError for what the configuration does not allow
 */
export const parseArguments: typeof parseArgs = (config) => {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'wrong arguments');
  }
};

function report({ stderr }: CommandContext, command: Command, error: unknown): number {
  if (error instanceof UsageError) {
    stderr.write(`latchkey ${command.name}: ${error.message}\n\n${help(command)}`);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    const faults = error.faults.map((fault) => `  - ${fault}\n`);
    stderr.write(
      `Latchkey cannot start with this configuration:\n${faults.join('')}All variables: docs/operating.md\n`,
    );
    return EXIT.config;
  }
  stderr.write(`${error instanceof Error ? error.message : 'Latchkey cannot start.'}\n`);
  return EXIT.failed;
}

function list(commands: readonly Command[]): string {
  const calls = commands.map(({ name, synopsis, summary }) => ({ call: `${name} ${synopsis}`.trim(), summary }));
  const width = Math.max(...calls.map(({ call }) => call.length)) + GAP;
  const rows = calls.map(({ call, summary }) => `  ${call.padEnd(width)}${summary}\n`);
  return `Usage: latchkey [command]\n\n${rows.join('')}\nlatchkey <command> --help tells more about one.\n`;
}

function help({ name, synopsis, summary, details }: Command): string {
  const rest = details.length === 0 ? '' : `\n${details.map((line) => `${line}\n`).join('')}`;
  return `Usage: latchkey ${name}${synopsis === '' ? '' : ` ${synopsis}`}\n\n${summary}\n${rest}`;
}
