import { chainName, emptyHead } from '#chain';
import type { EventDocument } from '#events';
import { digest, newClientId, newClientSecret, newId } from '#kernel';
import { chainEvents } from '../../libs/chain/chain.ts';
import type { EventDraft } from '../../libs/chain/chain.ts';
import { newRights } from '../../libs/events/log/rights-changes.ts';
import type { TestDatabase } from './database.ts';
import { unique } from './builders.ts';

const CHUNK = 2_000;
const ACTOR = { type: 'user', id: 'us_seed', ip: '127.0.0.1' } as const;

/** A credential that was inserted into the store, with its secret. */
export interface SeededCredential {
  readonly id: string;
  readonly operationId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Inserts documents into the store directly. */
export async function insertAll(database: TestDatabase, name: string, documents: readonly object[]): Promise<void> {
  const collection = await database.collection(name);
  for (let from = 0; from < documents.length; from += CHUNK) {
    await collection.insertMany(documents.slice(from, from + CHUNK), { ordered: false });
  }
}

/**
 * Inserts operations with their chains as the service would have created them, only faster. Each has this many
 * credentials that may call the APIs.
 */
export async function seedOperations(
  database: TestDatabase,
  operations: number,
  credentialsEach: number,
  apis: readonly string[],
): Promise<SeededCredential[]> {
  const at = new Date();
  const prefix = unique('seed');
  const seeded: SeededCredential[] = [];
  const documents: Record<'operations' | 'credentials' | 'events' | 'chain_heads', object[]> = {
    operations: [],
    credentials: [],
    events: [],
    chain_heads: [],
  };
  for (let n = 0; n < operations; n += 1) {
    const operationId = newId('op');
    const name = `${prefix}-${n}`;
    const times = { createdAt: at, updatedAt: at };
    documents.operations.push({
      _id: operationId,
      ...{ name, nameKey: name, requireAllowedIps: false, credentialCount: credentialsEach, version: 1, ...times },
    });
    const drafts = [draft(operationId, 'operation.created.v1', { type: 'operation', id: operationId }, at)];
    for (let slot = 0; slot < credentialsEach; slot += 1) {
      const credential = { id: newId('cr'), operationId, clientId: newClientId(), clientSecret: newClientSecret() };
      seeded.push(credential);
      documents.credentials.push(stored(credential, slot, apis, at));
      drafts.push(draft(operationId, 'credential.created.v1', { type: 'credential', id: credential.id }, at));
    }
    const events = chainEvents(emptyHead(chainName(operationId)), drafts);
    const last = events.at(-1)!;
    documents.events.push(
      ...events.map(({ id, ...event }): EventDocument => ({
        _id: id,
        chain: chainName(operationId),
        ...event,
        at,
      })),
    );
    documents.chain_heads.push({ _id: operationId, seq: last.seq, hash: last.hash, ...newRights(undefined, [], last) });
  }
  for (const [name, all] of Object.entries(documents)) await insertAll(database, name, all);
  return seeded;
}

function draft(operationId: string, type: string, subject: EventDraft['subject'], at: Date): EventDraft {
  const what = { id: newId('ev'), operationId, type, at: at.toISOString(), subject };
  return { ...what, actor: ACTOR, outcome: 'success', data: {}, requestId: null };
}

function stored(
  { id, operationId, clientId, clientSecret }: SeededCredential,
  slot: number,
  apis: readonly string[],
  at: Date,
): object {
  const name = `credential-${slot}`;
  return {
    _id: id,
    ...{ operationId, slot, clientId, name, nameKey: name, description: '' },
    ...{ apis: [...apis].sort(), allowedIps: [], status: 'active', expiresAt: null },
    ...{ tokenTtlSeconds: 3_600, tokenLimitPolicy: 'reject', lastUsedAt: null, version: 1 },
    secrets: [{ id: newId('se'), digest: digest(clientSecret), createdAt: at, expiresAt: null, lastUsedAt: null }],
    ...{ createdAt: at, createdBy: ACTOR.id, updatedAt: at, updatedBy: ACTOR.id },
  };
}
