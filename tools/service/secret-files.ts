import { readFileSync } from 'node:fs';
import { StartError } from '../local-stores/processes.ts';

/** Secrets that the tools read or replace. All others go to the service as they are, also as files. */
const READ_HERE = ['MONGODB_URI', 'MIGRATION_MONGODB_URI', 'REDIS_URL', 'LATCHKEY_ADMIN_PASSWORD'] as const;

/**
 * The environment with the secrets that files hold, without the variables that name these files.
 * @throws StartError if a secret is given twice, or its file is of no use
 */
export function withSecretFiles(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const files = new Map(READ_HERE.map((name) => [`${name}_FILE`, name]));
  const read: NodeJS.ProcessEnv = {};
  for (const [variable, value] of Object.entries(env)) {
    const name = files.get(variable);
    if (name === undefined) read[variable] ??= value;
    else if (value !== undefined && value !== '') {
      if ((env[name] ?? '') !== '') throw new StartError(`${name} and ${variable} are both set: give one of them`);
      read[name] = secretIn(value, variable);
    }
  }
  return read;
}

function secretIn(path: string, variable: string): string {
  let secret: string;
  try {
    secret = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch {
    throw new StartError(`${variable} cannot be read. Name a readable file`);
  }
  if (secret === '') throw new StartError(`${variable} names an empty file: write the secret into it`);
  return secret;
}
