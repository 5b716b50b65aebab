#!/usr/bin/env -S node --enable-source-maps
import 'reflect-metadata';
import { runCli } from './cli/cli.ts';
import { commands } from './cli/commands.ts';

/** What the service is built for and tested on (package.json, "engines"). */
const NODE_MAJOR = 24;
/** How long open connections may keep a command from exiting after it has failed or finished. */
const LINGER_MS = 500;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  console.error(
    `Latchkey needs Node ${NODE_MAJOR}; this is ${process.versions.node}. Start it by npm (npm run start:prod): it brings its own.`,
  );
  process.exit(1);
}

const { env, stdout, stderr } = process;
const exitCode = await runCli({ args: process.argv.slice(2), env, stdout, stderr }, commands);
if (exitCode !== undefined) {
  // `exit` alone would cut off output that is still on its way to a pipe
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
