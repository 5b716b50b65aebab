#!/usr/bin/env -S node --enable-source-maps
import 'reflect-metadata';
import { runCli } from './cli/cli.ts';
import { commands } from './cli/commands.ts';

/** The supported major version of Node (package.json, "engines"). */
const NODE_MAJOR = 24;
/** The time limit for open connections after a command has finished. */
const EXIT_MS = 500;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  console.error(
    `Latchkey needs Node ${NODE_MAJOR}; this is ${process.versions.node}. ` +
      'Start it with npm run start:prod, which brings its own Node.',
  );
  process.exit(1);
}

const { env, stdout, stderr } = process;
const exitCode = await runCli({ args: process.argv.slice(2), env, stdout, stderr }, commands);
if (exitCode !== undefined) {
  // an immediate `exit` would cut off output to a pipe
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), EXIT_MS).unref();
}
