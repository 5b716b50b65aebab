import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { disableService, installPackages, whyNoPackages } from '../local-stores/debian.ts';
import type { Say } from '../local-stores/debian.ts';
import { StartError, onPath } from '../local-stores/processes.ts';

interface Program {
  /** the variable by which tests find it, and users may name their own */
  readonly variable: string;
  readonly what: string;
  readonly names: readonly string[];
  readonly packages: readonly string[];
  /** services of those packages, which tests do not want */
  readonly services: readonly string[];
}

const PROGRAMS: readonly Program[] = [
  {
    variable: 'LATCHKEY_TEST_CHROMIUM',
    what: 'Chromium, for the browser tests',
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    packages: ['chromium'],
    services: [],
  },
  {
    variable: 'LATCHKEY_TEST_NGINX',
    what: 'nginx, for the gateway tests',
    names: ['nginx'],
    packages: ['nginx'],
    services: ['nginx'],
  },
  {
    variable: 'LATCHKEY_TEST_OPENSSL',
    what: 'openssl, for the certificates of the gateway tests',
    names: ['openssl'],
    packages: ['openssl'],
    services: [],
  },
  {
    variable: 'LATCHKEY_TEST_APACHE',
    what: 'Apache httpd, for the gateway tests',
    names: ['apache2'],
    packages: ['apache2'],
    services: ['apache2'],
  },
];

/** Apache's modules have no program to look for. */
const APACHE_MODULES = {
  variable: 'LATCHKEY_TEST_APACHE_MODULES',
  what: 'the Apache modules mod_oauth2 and mod_auth_openidc, for the gateway tests',
  folder: '/usr/lib/apache2/modules',
  files: ['mod_oauth2.so', 'mod_auth_openidc.so'],
  packages: ['libapache2-mod-oauth2', 'libapache2-mod-auth-openidc'],
};

/** Debian keeps servers in folders that only root has on PATH. */
const ELSEWHERE = ['/usr/sbin', '/usr/local/sbin'];

/**
 * Finds or installs the programs that tests run beside the stores.
 * @param env where the variables may be set
 * @param say told about progress
 * @returns the variables that tell tests where they are
 * @throws StartError naming what is missing, if it cannot be installed here
 */
export async function ensurePrograms(env: NodeJS.ProcessEnv, say: Say): Promise<Record<string, string>> {
  const missing = PROGRAMS.filter((program) => find(program, env) === null);
  const packages = missing.flatMap((program) => program.packages);
  const needed = missing.map(({ variable, what }) => `  - ${what} (or set ${variable})`);
  if (findModules(env) === null) {
    packages.push(...APACHE_MODULES.packages);
    needed.push(`  - ${APACHE_MODULES.what} (or set ${APACHE_MODULES.variable} to their folder)`);
  }
  if (packages.length > 0) await install(packages, needed, say);
  for (const service of missing.flatMap((program) => program.services)) disableService(service);
  const found = Object.fromEntries(
    PROGRAMS.map((program) => [program.variable, present(find(program, env), program.what)]),
  );
  return { ...found, [APACHE_MODULES.variable]: present(findModules(env), APACHE_MODULES.what) };
}

async function install(packages: readonly string[], needed: readonly string[], say: Say): Promise<void> {
  const obstacle = whyNoPackages();
  if (obstacle !== null) {
    const list = needed.join('\n');
    throw new StartError(`The tests need what is not here, and cannot install it (${obstacle}):\n${list}`);
  }
  await installPackages(packages, say);
}

function find({ variable, names }: Program, env: NodeJS.ProcessEnv): string | null {
  const named = env[variable];
  if (named !== undefined && named !== '') return named;
  for (const name of names) {
    const file = onPath(name) ?? ELSEWHERE.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (file !== undefined) return file;
  }
  return null;
}

function findModules(env: NodeJS.ProcessEnv): string | null {
  const folder = env[APACHE_MODULES.variable] ?? APACHE_MODULES.folder;
  return APACHE_MODULES.files.every((file) => existsSync(join(folder, file))) ? folder : null;
}

function present(path: string | null, what: string): string {
  if (path === null) throw new StartError(`The packages were installed but did not bring ${what}`);
  return path;
}
