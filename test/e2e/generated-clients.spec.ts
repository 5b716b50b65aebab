import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import type { CredentialBody } from '../support/api.ts';
import { basic } from '../support/api.ts';
import { OAuthWorld } from '../support/oauth-world.ts';
import { ADMIN } from '../support/service.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const bin = join(root, 'node_modules', '.bin');
const document = join(root, 'docs', 'openapi.json');

/**
 * What each client does: read the operation as a person, get a token as a client, and narrow an introspection by
 * `active`.
 */
const PRINT = 'console.log(JSON.stringify({ name, token, who: whose({ active: false }) }));';

interface Generator {
  readonly name: string;
  /** Makes the client in the folder. */
  readonly generate: (folder: string, url: string) => Promise<unknown>;
  /** A program that uses it; LATCHKEY_* tell it what. */
  readonly program: string;
}

const GENERATORS: readonly Generator[] = [
  {
    name: 'openapi-typescript with openapi-fetch',
    generate: (folder) => tool('openapi-typescript', folder, [document, '-o', 'schema.ts']),
    program: `
      import createClient from 'openapi-fetch';
      import type { components, paths } from './schema.ts';

      const { LATCHKEY_URL: baseUrl = '', LATCHKEY_PERSON = '', LATCHKEY_CLIENT = '', LATCHKEY_OPERATION = '' } = process.env;
      const whose = (answer: components['schemas']['Introspection']): string => answer.active ? answer.client_id : 'nobody';
      const client = createClient<paths>({ baseUrl });
      const operation = await client.GET('/v1/operations/{operationId}', {
        params: { path: { operationId: LATCHKEY_OPERATION } }, headers: { authorization: LATCHKEY_PERSON },
      });
      if (operation.error !== undefined) throw new Error(operation.error.detail);
      const { name } = operation.data;
      const issued = await client.POST('/oauth2/token', {
        headers: { authorization: LATCHKEY_CLIENT, 'content-type': 'application/x-www-form-urlencoded' },
        body: { grant_type: 'client_credentials' },
      });
      if (issued.error !== undefined) throw new Error(issued.error.error_description);
      const token: 'Bearer' = issued.data.token_type;
      ${PRINT}`,
  },
  {
    name: '@hey-api/openapi-ts',
    generate: (folder) => tool('openapi-ts', folder, ['-i', document, '-o', 'api', '-s', '--no-log-file']),
    program: `
      import { client } from './api/client.gen';
      import { operationsRead, tokenToken } from './api/sdk.gen';
      import type { Introspection } from './api/types.gen';

      const { LATCHKEY_URL: baseUrl = '', LATCHKEY_PERSON = '', LATCHKEY_CLIENT = '', LATCHKEY_OPERATION = '' } = process.env;
      const whose = (answer: Introspection): string => answer.active ? answer.client_id : 'nobody';
      client.setConfig({ baseUrl });
      const operation = await operationsRead({ path: { operationId: LATCHKEY_OPERATION }, headers: { authorization: LATCHKEY_PERSON } });
      if (operation.error !== undefined) throw new Error(operation.error.detail);
      const { name } = operation.data;
      const issued = await tokenToken({ body: { grant_type: 'client_credentials' }, headers: { authorization: LATCHKEY_CLIENT } });
      if (issued.error !== undefined) throw new Error(issued.error.error_description);
      const token: 'Bearer' = issued.data.token_type;
      ${PRINT}`,
  },
  {
    name: 'orval',
    generate: (folder, url) => {
      const output = { mode: 'single', target: './api.ts', client: 'fetch', baseUrl: url };
      const config = { latchkey: { input: { target: document }, output } };
      writeFileSync(join(folder, 'orval.config.mjs'), `export default ${JSON.stringify(config)};\n`);
      return tool('orval', folder, ['--config', './orval.config.mjs']);
    },
    program: `
      import { operationsRead, tokenToken } from './api';
      import type { Introspection } from './api';

      const { LATCHKEY_PERSON = '', LATCHKEY_CLIENT = '', LATCHKEY_OPERATION = '' } = process.env;
      const whose = (answer: Introspection): string => answer.active ? answer.client_id : 'nobody';
      const operation = await operationsRead(LATCHKEY_OPERATION, { headers: { authorization: LATCHKEY_PERSON } });
      if (operation.status !== 200) throw new Error(operation.data.detail);
      const { name } = operation.data;
      const issued = await tokenToken({ grant_type: 'client_credentials' }, { headers: { authorization: LATCHKEY_CLIENT } });
      if (issued.status !== 200) throw new Error(issued.data.error_description);
      const token: 'Bearer' = issued.data.token_type;
      ${PRINT}`,
  },
];

/** Runs a program of node_modules in the folder, by the Node that runs this. */
async function tool(program: string, folder: string, args: readonly string[]): Promise<unknown> {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`, CI: 'true' };
  try {
    return await run(join(bin, program), args, { cwd: folder, env });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} fails: ${stdout?.slice(0, 4_000)}${stderr?.slice(0, 2_000)}`, { cause: error });
  }
}

const COMPILER_OPTIONS = {
  target: 'es2024',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
};

describe('docs/openapi.json as input of client generators', () => {
  let world: OAuthWorld;
  let client: CredentialBody;
  let base: string;

  beforeAll(async () => {
    world = await OAuthWorld.start();
    client = await world.client({ tokenLimitPolicy: 'evict_oldest' });
    // inside the checkout, so that the packages of node_modules are found
    mkdirSync(join(root, '.data'), { recursive: true });
    base = mkdtempSync(join(root, '.data', 'generated-clients-'));
  });

  afterAll(async () => {
    rmSync(base, { recursive: true, force: true });
    await world.stop();
  });

  it.each(GENERATORS.map((generator): [string, Generator] => [generator.name, generator]))(
    '%s generates a client that compiles strictly and works',
    async (name, { generate, program }) => {
      const folder = join(base, name.replaceAll(/\W+/g, '-'));
      mkdirSync(folder);
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n');
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS }));
      await generate(folder, world.url);
      writeFileSync(join(folder, 'main.ts'), program);
      await tool('tsc', folder, ['-p', 'tsconfig.json']);

      const outfile = join(folder, 'main.mjs');
      await build({ entryPoints: [join(folder, 'main.ts')], outfile, bundle: true, platform: 'node', format: 'esm' });
      const { stdout } = await run(process.execPath, [outfile], {
        env: {
          LATCHKEY_URL: world.url,
          LATCHKEY_PERSON: basic(ADMIN),
          LATCHKEY_CLIENT: basic({ username: client.clientId, password: client.clientSecret }),
          LATCHKEY_OPERATION: client.operationId,
        },
      });
      expect(JSON.parse(stdout)).toEqual({
        name: expect.stringMatching(/^operation-/) as unknown,
        token: 'Bearer',
        who: 'nobody',
      });
    },
    600_000,
  );
});
