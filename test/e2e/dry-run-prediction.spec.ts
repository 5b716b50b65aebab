import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Api, CredentialBody } from '../support/api.ts';
import { aCredential, aResourceServer, aUser, anApi, anOperation, pathOf } from '../support/builders.ts';
import { PatientApi } from '../support/patient-api.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';
import { DEEDS, UsedCredentials, worlds } from '../support/used-credentials.ts';
import type { Affected, Case, DryRunBody, Works } from '../support/used-credentials.ts';

const CASES = 30;
const TIME_LIMIT_MS = 900_000;

let service: Service;
let admin: Api;
let used: UsedCredentials;

beforeAll(async () => {
  // a trusted proxy lets the test choose the address; without a lease, changes are answered at once
  service = await startService({ env: { TRUSTED_PROXIES: '127.0.0.1/32', LATCHKEY_LEASE_MS: '0' } });
  admin = new PatientApi(service.url);
  used = await UsedCredentials.at(service.url);
});
afterAll(() => service.discard());

const idsOf = ({ addresses, apis: keys, secrets }: Affected): Omit<Works, 'tokens'> => ({
  addresses: addresses.map(({ address }) => address).sort(),
  apis: keys.map(({ api }) => api).sort(),
  secrets: secrets.map(({ secretId }) => secretId).sort(),
});

const without = (before: readonly string[], after: readonly string[], seen: readonly string[]): string[] =>
  before.filter((name) => !after.includes(name) && seen.includes(name)).sort();

describe('what a dry run predicts', () => {
  it(
    'is what the real call then refuses, for random credentials, addresses, APIs, uses and changes',
    async () => {
      const seed = Date.now();
      const cases: Case[] = [];
      for (const [at, world] of fc.sample(worlds, { numRuns: CASES, seed }).entries()) {
        cases.push(await used.create(world, DEEDS[at % DEEDS.length]!));
      }
      const found = { addresses: 0, apis: 0, secrets: 0, liveTokens: 0 };
      for (const one of cases) {
        const { deed, world, path, tokens, uses } = one;
        const seen = await used.seenUse(path, tokens.length, uses);
        const before = await used.simulated(one);
        const write = used.writeOf(one);
        const dryRun = await write('?dryRun=true');
        expect({ status: dryRun.status, text: dryRun.text }).toMatchObject({ status: 200 });
        expect((await write('')).status).toBeLessThan(300);
        const after = await used.real(one);
        const lost = {
          addresses: without(before.addresses, after.addresses, seen.addresses),
          apis: without(before.apis, after.apis, seen.apis),
          secrets: without(before.secrets, after.secrets, seen.secrets),
          liveTokens: before.tokens.filter((callable, at) => callable !== '' && callable !== after.tokens[at]).length,
        };
        const { affected } = dryRun.body;
        const predicted = { ...idsOf(affected), liveTokens: affected.liveTokens };
        expect({ seed, deed, world, ...predicted }).toEqual({ seed, deed, world, ...lost });
        const isAnythingLost = [lost.addresses, lost.apis, lost.secrets].some(({ length }) => length > 0);
        expect({ seed, deed, world, isUsed: affected.lastUsedAt !== null }).toMatchObject({ isUsed: isAnythingLost });
        for (const list of ['addresses', 'apis', 'secrets'] as const) found[list] += lost[list].length;
        found.liveTokens += lost.liveTokens;
      }
      for (const count of Object.values(found)) expect(count).toBeGreaterThan(0);
    },
    TIME_LIMIT_MS,
  );

  /** A credential with two APIs that was used from 192.0.2.7 for the first one. */
  async function aUsedOne(operationId: string): Promise<CredentialBody> {
    const credential = await aCredential(admin, operationId, { apis: used.apis.slice(0, 2) });
    const text = (await used.token(credential, credential.clientSecret, '192.0.2.7'))!;
    expect(await used.mayCall(text, used.apis[0]!, '192.0.2.7')).toBe(true);
    await used.seenUse(pathOf(credential), 1, 1);
    return credential;
  }

  it('adds up all credentials of the operation, for those who may administer it', async () => {
    const { id: operationId } = await anOperation(admin);
    await aUsedOne(operationId);
    const credential = await aUsedOne(operationId);
    const { body } = await admin.patch<DryRunBody>(`/v1/operations/${operationId}?dryRun=true`, {
      status: 'suspended',
    });
    expect(body.changes.map(({ type }) => type)).toEqual(['operation.updated.v2']);
    expect(body.affected).toMatchObject({
      liveTokens: 2,
      addresses: [{ address: '192.0.2.7', count: 4 }],
      apis: [{ api: used.apis[0], count: 2 }],
    });
    expect(body.affected.secrets).toHaveLength(2);
    const operator = admin.as(await aUser(admin, ['operation-admin'], [operationId]));
    const own = await operator.delete<DryRunBody>(`${pathOf(credential)}?dryRun=true`);
    expect(own.body.affected).toMatchObject({ liveTokens: 1, addresses: [{ address: '192.0.2.7', count: 2 }] });
  });

  it('of the deletion of an API names its callers in every operation', async () => {
    const { key } = await anApi(admin);
    const gateway = await aResourceServer(admin, [key]);
    for (let at = 0; at < 2; at += 1) {
      const credential = await aCredential(admin, (await anOperation(admin)).id, { apis: [used.apis[0], key] });
      const text = (await used.token(credential, credential.clientSecret, '192.0.2.7'))!;
      expect(await used.mayCall(text, key, '192.0.2.7', gateway)).toBe(true);
      await used.seenUse(pathOf(credential), 1, 1);
    }
    const { body } = await admin.delete<DryRunBody>(`/v1/apis/${key}?force=true&dryRun=true`);
    expect(body.affected).toMatchObject({ liveTokens: 2, addresses: [], apis: [{ api: key, count: 2 }], secrets: [] });
    expect((await admin.get(`/v1/apis/${key}`)).body['removal']).toBeNull();
  });

  it('counts the last 24 hours, and tells of an older use only when nothing would work any more', async () => {
    const credential = await aUsedOne((await anOperation(admin)).id);
    const path = pathOf(credential);
    const usage = await service.database.collection('usage');
    const longAgo = new Date(Date.now() - 3 * 86_400_000);
    await usage.updateMany({ credentialId: credential.id }, { $set: { hour: longAgo } });
    const credentials = await service.database.collection<{ _id: string }>('credentials');
    await credentials.updateOne({ _id: credential.id }, { $set: { lastUsedAt: longAgo } });
    const nothing = { addresses: [], apis: [], secrets: [] };
    const deletion = await admin.delete<DryRunBody>(`${path}?dryRun=true`);
    expect(deletion.body.affected).toMatchObject({ ...nothing, lastUsedAt: longAgo.toISOString() });
    const narrowing = await admin.patch<DryRunBody>(`${path}?dryRun=true`, { allowedIps: ['198.51.100.9'] });
    expect(narrowing.body.affected).toMatchObject({ ...nothing, lastUsedAt: null, liveTokens: 1 });
    expect(Date.parse(narrowing.body.affected.since)).toBeGreaterThan(Date.now() - 86_400_000 - 60_000);
  });
});
