import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api } from '../support/api.ts';
import type { CredentialBody, PageBody, ProblemBody } from '../support/api.ts';
import { aCredential, aUser, anApi, anOperation, pathOf } from '../support/builders.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface Holder {
  readonly id: string;
  readonly operationId: string;
  readonly name: string | null;
  readonly clientId: string | null;
  readonly owner: string | null;
  readonly deletedAt: string | null;
  readonly certain: boolean;
}

/** Changes of a random history; each costs a lease. */
const STEPS = 24;

describe('GET /v1/apis/{apiKey}/credentials', () => {
  let service: Service;
  let api: Api;
  beforeAll(async () => {
    service = await startService();
    api = new Api(service.url);
  });
  afterAll(() => service.discard());

  const holders = (key: string, at?: string, as: Api = api): Promise<Holder[]> =>
    as.all<Holder>(`/v1/apis/${key}/credentials${at === undefined ? '' : `?at=${at}`}`);
  const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
  const now = (): string => new Date().toISOString();
  /** By the store's clock, which may differ from this machine's. */
  const lastChangeOf = async (operations: readonly string[]): Promise<string> => {
    const newest = await Promise.all(operations.map(async (operationId) => (await api.events({ operationId }))[0]!.at));
    return newest.sort().at(-1)!;
  };

  it('lists those that may call it now, oldest first, with who answers for them', async () => {
    const { key } = await anApi(api);
    const [one, two] = [await anOperation(api), await anOperation(api)];
    const first = await aCredential(api, one.id, { apis: [key], owner: 'Billing', allowedIps: ['192.0.2.1'] });
    const second = await aCredential(api, two.id, { apis: [key] });
    await aCredential(api, two.id, {});
    const disabled = await aCredential(api, two.id, { apis: [key] });
    await api.patch(pathOf(disabled), { status: 'disabled' });
    const [shown, ...rest] = await holders(key);
    expect(shown).toEqual({
      ...{ id: first.id, operationId: one.id, name: first.name, clientId: first.clientId },
      ...{ owner: 'Billing', contact: null, allowedIps: ['192.0.2.1'], expiresAt: null },
      ...{ deletedAt: null, certain: true },
    });
    expect(idsOf(rest)).toEqual([second.id]);
    await api.patch(`/v1/operations/${two.id}`, { status: 'suspended' });
    expect(idsOf(await holders(key))).toEqual([first.id]);
  });

  it('tells for any moment of a random history what it listed then', async () => {
    const { key } = await anApi(api);
    const operations = [(await anOperation(api)).id, (await anOperation(api)).id];
    const live: CredentialBody[] = [];
    const suspended = new Set<string>();
    const seen: { readonly at: string; readonly ids: string[] }[] = [];
    const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
    const steps: (() => Promise<unknown>)[] = [
      async () => {
        const client = await aCredential(api, any(operations));
        live.push(client);
        // refused while the operation may not be granted the API
        await api.patch(`${pathOf(client)}/apis`, { add: [key] });
      },
      () => api.patch(`${pathOf(any(live))}/apis`, { add: [key] }),
      () => api.patch(`${pathOf(any(live))}/apis`, { remove: [key] }),
      () => api.patch(pathOf(any(live)), { status: any(['active', 'disabled']) }),
      () => api.patch(pathOf(any(live)), { owner: any(['Ada', 'Grace', null]) }),
      () => api.delete(pathOf(live.splice(Math.floor(Math.random() * live.length), 1)[0]!)),
      async () => {
        const id = any(operations);
        const isSuspended = suspended.delete(id) || !suspended.add(id);
        await api.patch(`/v1/operations/${id}`, { status: isSuspended ? 'active' : 'suspended' });
      },
      () => api.put(`/v1/operations/${any(operations)}/apis`, { mode: 'listed', apis: [] }),
      () => api.put(`/v1/operations/${any(operations)}/apis`, { mode: 'all' }),
    ];
    for (let step = 0; step < STEPS; step += 1) {
      await (live.length < 2 ? steps[0]! : any(steps))();
      seen.push({ at: await lastChangeOf(operations), ids: idsOf(await holders(key)) });
    }
    // a deleted API has a past too
    await api.delete(`/v1/apis/${key}?force=true`);
    expect((await api.get(`/v1/apis/${key}/credentials`)).status).toBe(404);
    for (const { at, ids } of seen) expect([at, idsOf(await holders(key, at))]).toEqual([at, ids]);
    expect(seen.some(({ ids }) => ids.length > 0)).toBe(true);
  });

  it('tells who it was and when it was deleted', async () => {
    const { key } = await anApi(api);
    const { id: operationId } = await anOperation(api);
    const client = await aCredential(api, operationId, {
      apis: [key],
      owner: 'Ada',
      expiresAt: '2099-01-01T00:00:00Z',
    });
    const at = now();
    await api.patch(pathOf(client), { owner: 'Grace', name: 'Another name' });
    await api.delete(pathOf(client));
    const [holder, ...rest] = await holders(key, at);
    expect(rest).toEqual([]);
    expect(holder).toMatchObject({
      ...{ id: client.id, name: client.name, clientId: client.clientId, owner: 'Ada', certain: true },
      expiresAt: '2099-01-01T00:00:00.000Z',
    });
    expect(Date.parse(holder!.deletedAt!)).toBeGreaterThan(Date.parse(at));
    expect(await holders(key, new Date(Date.parse(client.createdAt) - 1).toISOString())).toEqual([]);
  });

  it('pages without repeats and gaps, now and at a moment', async () => {
    const { key } = await anApi(api);
    const { id: operationId } = await anOperation(api);
    const made: string[] = [];
    for (let count = 0; count < 5; count += 1) made.push((await aCredential(api, operationId, { apis: [key] })).id);
    const at = now();
    for (const query of ['limit=2', `limit=2&at=${at}`]) {
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body }: { body: PageBody<Holder> } = await api.get<PageBody<Holder>>(
          `/v1/apis/${key}/credentials?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        expect(body.items.length).toBeLessThanOrEqual(2);
        found.push(...idsOf(body.items));
        cursor = body.nextCursor;
      }
      expect([query, found]).toEqual([query, made]);
    }
    const { nextCursor } = (await api.get<PageBody<Holder>>(`/v1/apis/${key}/credentials?limit=2`)).body;
    expect((await api.get(`/v1/apis/${key}/credentials?limit=2&at=${at}&cursor=${nextCursor}`)).status).toBe(400);
  });

  it('shows to a person the operations that they may see', async () => {
    const { key } = await anApi(api);
    const [own, foreign] = [await anOperation(api), await anOperation(api)];
    const mine = await aCredential(api, own.id, { apis: [key] });
    await aCredential(api, foreign.id, { apis: [key] });
    const at = now();
    await api.delete(pathOf(mine));
    const admin = api.as(await aUser(api, ['operation-admin'], [own.id]));
    expect(await holders(key, undefined, admin)).toEqual([]);
    expect(idsOf(await holders(key, at, admin))).toEqual([mine.id]);
    const auditor = await aUser(api, ['auditor']);
    expect(await holders(key, at, api.as(auditor))).toHaveLength(2);
    await api.patch(`/v1/users/${auditor.id}`, { auditedOperationIds: [own.id] });
    expect(idsOf(await holders(key, at, api.as(auditor)))).toEqual([mine.id]);
  });

  it('refuses a moment that is in the future, and an API that never was', async () => {
    const { key } = await anApi(api);
    const future = await api.get<ProblemBody>(`/v1/apis/${key}/credentials?at=2999-01-01T00:00:00Z`);
    expect([future.status, future.body.errors?.[0]?.pointer]).toEqual([400, '/query/at']);
    expect((await api.get(`/v1/apis/${key}/credentials?at=yesterday`)).status).toBe(400);
    for (const query of ['', `?at=${now()}`]) {
      expect((await api.get(`/v1/apis/never-was/credentials${query}`)).status).toBe(404);
    }
  });

  it('says since when it can tell after a retention, and what it cannot tell', async () => {
    const { key } = await anApi(api);
    const { id: operationId } = await anOperation(api);
    const kept = await aCredential(api, operationId, { apis: [key] });
    const gone = await aCredential(api, operationId, { apis: [key] });
    const before = now();
    const [last] = await api.events({ operationId });
    await archive(operationId, last!.seq);
    const earliest = now();
    await api.delete(pathOf(gone));
    const refused = await api.get<ProblemBody & { earliest: string }>(`/v1/apis/${key}/credentials?at=${before}`);
    expect([refused.status, refused.body.type]).toEqual([410, 'urn:latchkey:problem:before-retention']);
    expect(Date.parse(refused.body.earliest)).toBeGreaterThan(Date.parse(before));
    const found = await holders(key, earliest);
    expect(found.map(({ id, certain }) => [id, certain])).toEqual([
      [kept.id, true],
      [gone.id, false],
    ]);
    expect(found[1]).toMatchObject({ name: gone.name, clientId: gone.clientId });
    // someone who does not see that operation is not affected
    const other = api.as(await aUser(api, ['operation-admin'], [(await anOperation(api)).id]));
    expect(await holders(key, before, other)).toEqual([]);
  });

  /** What a retention leaves: the chain begins after that seq, at a checkpoint signed now. */
  async function archive(operationId: string, throughSeq: number): Promise<void> {
    const { database } = service;
    const events = await database.collection<{ chain: string; seq: number; hash: string }>('events');
    const hash = (await events.findOne({ chain: operationId, seq: throughSeq }))?.hash;
    const checkpoints = await database.collection<{ _id: string }>('checkpoints');
    const checkpointId = `cp_${operationId}`;
    const at = new Date();
    await checkpoints.insertOne({
      _id: checkpointId,
      chain: operationId,
      operationId,
      seq: throughSeq,
      hash,
      at,
    } as never);
    const heads = await database.collection<{ _id: string }>('chain_heads');
    const rest = { hash, checkpointId, file: 'none', sha256: '0'.repeat(64), dropped: true };
    await heads.updateOne({ _id: operationId }, { $set: { archive: { throughSeq, ...rest } } });
    await events.deleteMany({ chain: operationId, seq: { $lte: throughSeq } });
  }
});
