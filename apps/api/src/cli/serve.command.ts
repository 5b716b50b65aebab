import { loadConfig } from '#config';
import { serve } from '../serve.ts';
import type { Command } from './command.ts';

/** Runs the service. It is the default: `latchkey` alone means the same. */
export const serveCommand: Command = {
  name: 'serve',
  synopsis: '',
  summary: 'Run the service until SIGTERM or SIGINT (the default).',
  details: ['It is configured by environment variables, which docs/operating.md lists.'],
  async run({ env }) {
    await serve(loadConfig(env));
    return undefined;
  },
};
