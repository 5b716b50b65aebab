import type { Writable } from 'node:stream';

/** What a command gets from the process. */
export interface CommandContext {
  /** Arguments after the command's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For results. Progress and errors go to `stderr`. */
  readonly stdout: Pick<Writable, 'write'>;
  readonly stderr: Pick<Writable, 'write'>;
}

/** One command of `latchkey`. To add one: a file `<name>.command.ts` beside this one, and a row in `commands.ts`. */
export interface Command {
  readonly name: string;
  /** Arguments and options as the help shows them after the name; empty when there are none. */
  readonly synopsis: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Further lines for `latchkey <name> --help`: options, variables, exit codes. */
  readonly details: readonly string[];
  /**
   * Runs it.
   *
   * @returns the exit code, or undefined when the process goes on until a signal ends it
   * @throws UsageError for a wrong argument, ConfigError for a wrong configuration
   */
  run(context: CommandContext): Promise<number | undefined>;
}

/** A wrong argument. The message is shown with the command's help, and the exit code is 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
