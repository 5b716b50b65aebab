import type { Layout, Migration } from '../migration.ts';

/** The collections that version 0.1.0 created at its start, so that its databases need no conversion. */
export const layout: Layout = {
  apis: [],
  chain_heads: [],
  checkpoint_keys: [],
  checkpoints: [{ key: { chain: 1, seq: 1 }, unique: true }, { key: { chain: 1, _id: -1 } }],
  credentials: [
    { key: { operationId: 1, slot: 1 }, unique: true, name: 'credential_slot' },
    { key: { operationId: 1, nameKey: 1 }, unique: true, name: 'credential_name' },
    { key: { clientId: 1 }, unique: true, name: 'credential_client_id' },
    { key: { apis: 1 }, name: 'credential_apis' },
  ],
  events: [
    { key: { chain: 1, seq: 1 }, unique: true },
    { key: { chain: 1, prevHash: 1 }, unique: true },
    { key: { at: -1, _id: -1 } },
    { key: { operationId: 1, at: -1, _id: -1 } },
    { key: { type: 1, at: -1, _id: -1 } },
    { key: { 'subject.id': 1, at: -1, _id: -1 } },
    { key: { 'actor.id': 1, at: -1, _id: -1 } },
  ],
  idempotency_keys: [{ key: { expiresAt: 1 }, expireAfterSeconds: 0 }],
  operations: [{ key: { nameKey: 1 }, unique: true, name: 'operation_name' }],
  outbox: [{ key: { queue: 1, nextAttemptAt: 1 } }],
  refusals: [
    { key: { minute: -1, id: -1 } },
    { key: { operationId: 1, minute: -1, id: -1 } },
    { key: { 'subject.id': 1, minute: -1, id: -1 } },
    { key: { id: 1 } },
  ],
  resource_servers: [{ key: { nameKey: 1 }, unique: true, name: 'resource_server_name' }, { key: { apis: 1 } }],
  settings: [],
  tokens: [{ key: { credentialId: 1, slot: 1 }, unique: true }, { key: { expiresAt: 1 } }],
  user_locks: [],
  users: [{ key: { usernameKey: 1 }, unique: true, name: 'user_name' }],
};

export const firstCollections: Migration = {
  number: 1,
  name: 'first-collections',
  run: (steps) => steps.createLayout(layout),
};
