import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '#config';
import { parseArguments, runCli } from './cli.ts';
import type { Command } from './command.ts';

function aCommand(name: string, run: Command['run'], synopsis = ''): Command {
  return { name, synopsis, summary: `What ${name} does.`, details: [`More about ${name}.`], run };
}

async function called(args: readonly string[], ...commands: readonly Command[]) {
  const output = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof output) => ({ write: (text: string) => Boolean((output[name] += text)) });
  const exitCode = await runCli(
    { args, env: { COLOUR: 'blue' }, stdout: sink('stdout'), stderr: sink('stderr') },
    commands,
  );
  return { exitCode, ...output };
}

describe('the command line', () => {
  const serve = aCommand('serve', () => Promise.resolve(undefined));
  const greet = aCommand(
    'greet',
    ({ args, env, stdout }) => {
      const { positionals } = parseArguments({ args: [...args], allowPositionals: true });
      stdout.write(`${positionals.join(' ')}, ${env['COLOUR'] ?? ''}`);
      return Promise.resolve(3);
    },
    '<name>',
  );

  it('runs serve without a command', async () => {
    expect(await called([], serve, greet)).toEqual({ exitCode: undefined, stdout: '', stderr: '' });
  });

  it('passes arguments and environment on, and returns the exit code of the command', async () => {
    expect(await called(['greet', 'Ada'], serve, greet)).toEqual({ exitCode: 3, stdout: 'Ada, blue', stderr: '' });
  });

  it('exits 64 and lists the commands for an unknown command, without repeating it', async () => {
    const { exitCode, stdout, stderr } = await called(['hunter2'], serve, greet);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^ {2}serve +What serve does\.\n {2}greet <name> +What greet does\.$/m);
    expect(stderr).not.toContain('hunter2');
  });

  it.each([['--help'], ['-h'], ['help']])('lists the commands for %s', async (flag) => {
    const { exitCode, stdout, stderr } = await called([flag], serve, greet);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('What greet does.');
  });

  it('describes one command for --help after its name, and does not run it', async () => {
    const { exitCode, stdout } = await called(['greet', '--help'], serve, greet);
    expect(exitCode).toBe(0);
    expect(stdout).toBe('Usage: latchkey greet <name>\n\nWhat greet does.\n\nMore about greet.\n');
  });

  it('exits 64 with the command’s help for unknown arguments', async () => {
    for (const args of [
      ['serve', 'now'],
      ['greet', '--loud'],
    ]) {
      const { exitCode, stderr } = await called(args, serve, greet);
      expect(exitCode).toBe(64);
      expect(stderr).toContain(`Usage: latchkey ${args[0] ?? ''}`);
    }
  });

  it('exits 78 with every configuration fault, and 1 with the message of any other error', async () => {
    const faulty = aCommand('serve', () => Promise.reject(new ConfigError(['A is required', 'B is required'])));
    expect(await called([], faulty)).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('  - A is required\n  - B is required\n'),
    });
    const broken = aCommand('serve', () => Promise.reject(new Error('the port is taken')));
    expect(await called([], broken)).toMatchObject({ exitCode: 1, stderr: 'the port is taken\n' });
  });
});
