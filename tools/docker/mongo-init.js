// Run by mongosh as the database's administrator (docker-compose.yml, docs/database-user.md): makes or updates the
// roles and users of Latchkey. MongoDB's privileges only add up and none takes away, so every collection is named with
// exactly what the service does to it.

/* global db, require, process */
const fs = require('node:fs');
const database = process.env.LATCHKEY_DATABASE || 'latchkey';
const secret = (name) => fs.readFileSync(`/run/latchkey/${name}`, 'utf8').trim();

const read = ['find', 'listIndexes'];
const append = [...read, 'insert'];
const change = [...append, 'update'];
const everything = [...change, 'remove'];

/** What the service does to each collection. A new collection of a migration is added here. */
const service = {
  api_keys: everything,
  apis: everything,
  chain_faults: everything,
  chain_heads: change,
  checkpoint_keys: change,
  checkpoints: append,
  credentials: everything,
  events: append,
  idempotency_keys: everything,
  instances: everything,
  last_uses: change,
  notices: everything,
  migrations: read,
  operations: everything,
  outbox: everything,
  refusals: everything,
  resource_servers: everything,
  sessions: everything,
  settings: change,
  tokens: [...append, 'remove'],
  usage: change,
  user_locks: change,
  users: everything,
};

const latchkey = db.getSiblingDB(database);
const on = (collection, actions) => ({ resource: { db: database, collection }, actions });

const roles = {
  latchkeyService: [
    on('', ['listCollections']),
    ...Object.entries(service).map(([collection, actions]) => on(collection, actions)),
  ],
  // may make collections and indexes, but reads and changes no document except its own record
  latchkeyMigration: [
    on('', ['listCollections', 'listIndexes', 'createCollection', 'createIndex']),
    on('migrations', change),
  ],
  // for EVENT_RETENTION_MONGODB_URI: removes events that were archived
  latchkeyRetention: [on('events', ['find', 'remove'])],
};

for (const [role, privileges] of Object.entries(roles)) {
  if (latchkey.getRole(role)) latchkey.updateRole(role, { privileges, roles: [] });
  else latchkey.createRole({ role, privileges, roles: [] });
}

const users = [
  ['latchkey', 'mongodb-password', 'latchkeyService'],
  ['latchkeyMigration', 'mongodb-migration-password', 'latchkeyMigration'],
  ['latchkeyRetention', 'mongodb-retention-password', 'latchkeyRetention'],
];

for (const [user, file, role] of users) {
  if (latchkey.getUser(user)) latchkey.updateUser(user, { pwd: secret(file), roles: [role] });
  else latchkey.createUser({ user, pwd: secret(file), roles: [role] });
}
