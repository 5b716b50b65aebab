import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import { aCredential, anApi, anOperation } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { Reader } from './reader.ts';
import { documents, shellBlocks } from './shell-blocks.ts';

/** The password that the documents use for the administrator: see README.md. */
const ADMIN = { username: 'admin', password: 'the-printed-password' };
const AUDITOR = { username: 'auditor', password: 'the password of this user' };

/** What a document needs to be there, and what its commands must have printed. */
interface Expectation {
  readonly given?: (api: Api) => Promise<void>;
  readonly prints: readonly (string | RegExp)[];
}

/** To add a document: a row here. Its commands run as they stand in it. */
const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'README.md': { prints: ['"active":true', '{"active":false}', 'credential.deleted.v1', 'tokens.purged.v1'] },
  'docs/auditing.md': {
    given: aDeletedCredential,
    prints: [/^whole: /m, '"type":"credential.deleted.v1"', '"username":"admin"'],
  },
  'docs/operating.md': { prints: ['cannot be mended: 0.', 'left: 0.'] },
};

/** Documents whose commands a spec of their own runs, since they need more than a shell. */
const OWN_SPECS: Readonly<Record<string, string>> = { 'docs/clients.md': 'clients.spec.ts' };

/** A credential with the name of the page, which was used and deleted. */
async function aDeletedCredential(api: Api): Promise<void> {
  await api.post('/v1/users', { ...AUDITOR, roles: ['auditor'], operationIds: [] });
  const { key } = await anApi(api);
  const { id } = await anOperation(api);
  const client = await aCredential(api, id, { name: 'Nightly export', apis: [key] });
  await api.token(client);
  await api.delete(`/v1/operations/${id}/credentials/${client.id}`);
}

let service: Service;
let reader: Reader;

beforeAll(async () => {
  const { username, password } = ADMIN;
  service = await startService({
    env: { LATCHKEY_ADMIN_USERNAME: username, LATCHKEY_ADMIN_PASSWORD: password },
  });
  reader = await Reader.at(service);
});
afterAll(async () => {
  await reader.leave();
  await service.stop();
  await service.database.drop();
});

describe('the commands of the documents', () => {
  const withCommands = documents().filter((document) => shellBlocks(document).some(({ skip }) => skip === undefined));
  const here = withCommands.filter((document) => !Object.hasOwn(OWN_SPECS, document));

  it('are all run by a test, except those with a stated reason', () => {
    expect(here.sort()).toEqual(Object.keys(EXPECTATIONS).sort());
    for (const [document, spec] of Object.entries(OWN_SPECS)) {
      expect(readFileSync(join(import.meta.dirname, spec), 'utf8')).toContain(document);
    }
  });

  it.each(here)('of %s work exactly as shown', async (document) => {
    const { given, prints } = EXPECTATIONS[document]!;
    await given?.(new Api(service.url, ADMIN));
    const { code, output } = await reader.run(document);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    for (const expected of prints) expect(output).toMatch(expected);
  });
});
