import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { mongo } from 'mongoose';
import { Api } from '../support/api.ts';
import type { Answer, CredentialBody, OperationBody, PageBody, SignIn } from '../support/api.ts';
import { pathOf } from '../support/builders.ts';
import { TestDatabase } from '../support/database.ts';
import { startService } from '../support/service.ts';
import type { Service } from '../support/service.ts';

interface Client {
  readonly id: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a service of version 0.1.0 stored, and the secrets that it showed meanwhile. */
interface Fixture {
  readonly known: {
    readonly operationId: string;
    readonly nightly: Client;
    readonly rotated: Client & { readonly newSecret: string };
    readonly disabled: Client;
    readonly deleted: Client;
    readonly server: { readonly id: string; readonly secret: string };
    readonly token: string;
    readonly revoked: string;
    readonly operator: SignIn;
    readonly auditor: SignIn;
    readonly administrator: SignIn;
  };
  readonly documents: Readonly<Record<string, mongo.Document[]>>;
}

const HOUR_MS = 3_600_000;
const support = join(import.meta.dirname, '..', 'support');
const read = (name: string): string => readFileSync(join(support, name), 'utf8');

/** Fills the database as version 0.1.0 left it, with its tokens as young as they were then. */
async function restore(database: TestDatabase, documents: Fixture['documents']): Promise<void> {
  const layout = JSON.parse(read('layout-0.1.0.json')) as Record<string, mongo.IndexDescription[]>;
  for (const [name, indexes] of Object.entries(layout)) {
    const collection = await database.collection(name);
    if (indexes.length > 0) await collection.createIndexes(indexes);
    const stored = (documents[name] ?? []).map((document) =>
      name === 'tokens' || name === 'idempotency_keys'
        ? { ...document, expiresAt: new Date(Date.now() + HOUR_MS) }
        : document,
    );
    if (stored.length > 0) await collection.insertMany(stored);
  }
}

const { known, documents } = mongoose.mongo.BSON.EJSON.parse(read('database-0.1.0.json')) as Fixture;
const server = { username: known.server.id, password: known.server.secret };
const credential = (client: Client): string => pathOf({ operationId: known.operationId, id: client.id });

/** A service of this version on a migrated copy of the old database. */
async function upgraded(): Promise<Service> {
  const database = new TestDatabase();
  await restore(database, documents);
  await database.migrate();
  return startService({ database });
}

let service: Service;
let api: Api;
beforeEach(async () => {
  service = await upgraded();
  api = new Api(service.url, known.administrator);
});
afterEach(() => service.discard());

describe('a database of version 0.1.0', () => {
  /** Repeats a write that a busy machine refused: it was not made. */
  async function made(write: () => Promise<Answer<unknown>>): Promise<number> {
    let status = 503;
    for (let turn = 0; turn < 5 && status === 503; turn += 1) ({ status } = await write());
    return status;
  }

  const isActive = async (token: string): Promise<unknown> => (await api.introspect(server, token)).body['active'];

  it('holds every collection that the version had', () => {
    expect(Object.keys(documents).sort()).toEqual(expect.arrayContaining(['credentials', 'events', 'tokens', 'users']));
    expect(documents['credentials']).toHaveLength(3);
    expect(documents['users']).toHaveLength(3);
  });

  it('keeps every secret, token and disabled or deleted credential as it was', async () => {
    const { nightly, rotated, disabled, deleted } = known;
    expect(await isActive(known.token)).toBe(true);
    expect(await isActive(known.revoked)).toBe(false);
    for (const [client, status] of [
      [nightly, 200],
      [{ ...rotated, clientSecret: rotated.newSecret }, 200],
      [disabled, 401],
      [deleted, 401],
    ] as const) {
      expect([client.id, (await api.token(client)).status]).toEqual([client.id, status]);
    }
  });

  it('shows credentials and operations with the members of this version', async () => {
    const { body } = await api.get<CredentialBody>(credential(known.nightly));
    expect(body).toMatchObject({
      ...{ name: 'Nightly invoices', description: 'Sends the invoices', apis: ['invoices', 'orders'] },
      ...{ owner: null, contact: null, labels: {}, status: 'active' },
    });
    const operation = await api.get<OperationBody>(`/v1/operations/${known.operationId}`);
    expect(operation.body).toMatchObject({ status: 'active', credentialCount: 3 });
    expect((await api.get(`/v1/operations/${known.operationId}/apis`)).body).toMatchObject({ mode: 'all' });
    expect(await api.all<CredentialBody>('/v1/credentials?api=invoices')).toHaveLength(3);
    const secrets = await api.get<PageBody<{ id: string }>>(`${credential(known.rotated)}/secrets`);
    expect(secrets.body.items.length).toBeGreaterThanOrEqual(1);
  });

  it('lets its people sign in, by password and by session, with their roles', async () => {
    for (const [who, role] of [
      [known.operator, 'operation-admin'],
      [known.auditor, 'auditor'],
    ] as const) {
      expect((await api.as(who).get('/v1/me')).body).toMatchObject({ username: who.username, roles: [role] });
      const session = await api.inSession(who);
      expect((await session.get('/v1/session')).body).toMatchObject({ user: { kind: 'person', status: 'active' } });
    }
    const foreign = await api.as(known.operator).get('/v1/operations');
    expect(foreign.body['items']).toHaveLength(1);
  });

  it('takes what this version adds: owner, ceiling, policy, suspension, leak, end of a secret, a disabled person', async () => {
    const { rotated } = known;
    const path = credential(rotated);
    expect(await made(() => api.patch(path, { owner: 'Ada', labels: { env: 'prod' } }))).toBe(200);
    const operation = `/v1/operations/${known.operationId}`;
    expect(await made(() => api.patch(operation, { policy: { requireOwner: true }, enforce: 'new' }))).toBe(200);
    expect(await made(() => api.patch(operation, { status: 'suspended' }))).toBe(200);
    expect(await isActive(known.token)).toBe(false);
    expect(await made(() => api.patch(operation, { status: 'active' }))).toBe(200);
    expect(await isActive(known.token)).toBe(true);
    expect(await made(() => api.put(`${operation}/apis`, { mode: 'listed', apis: ['invoices'] }))).toBe(200);
    const { body } = await api.introspect(server, known.token);
    expect(body['scope']).toBe('invoices');
    const leak = await api.post('/v1/leaks', { text: rotated.newSecret, revoke: true });
    expect(leak.body).toMatchObject({ belongsTo: { id: rotated.id, owner: 'Ada' }, revoked: true });
    expect((await api.token({ ...rotated, clientSecret: rotated.newSecret })).status).toBe(401);
    const people = await api.all<{ id: string; username: string }>('/v1/users');
    const { id } = people.find(({ username }) => username === known.auditor.username)!;
    expect(await made(() => api.patch(`/v1/users/${id}`, { status: 'disabled' }))).toBe(200);
    expect((await api.as(known.auditor).get('/v1/me')).status).toBe(401);
  });

  it('has one whole log of both versions, from which the past can be told', async () => {
    expect((await api.get('/v1/events/verify')).body).toMatchObject({ whole: true });
    const types = (await api.events({ operationId: known.operationId })).map(({ type }) => type);
    expect(types).toContain('credential.deleted.v1');
    const created = documents['events']!.find(
      ({ type, subject }) => type === 'credential.created.v1' && (subject as { id: string }).id === known.deleted.id,
    );
    const at = (created?.['at'] as Date).toISOString();
    const then = await api.all<{ id: string; name: string; deletedAt: string }>(
      `/v1/apis/invoices/credentials?at=${at}`,
    );
    expect(then.map(({ id }) => id)).toEqual([known.nightly.id, known.rotated.id, known.deleted.id]);
    expect(then.at(-1)?.deletedAt).not.toBeNull();
  });
});
