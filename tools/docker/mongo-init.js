// Run by the mongo image on an empty data folder (docker-compose.yml), as the database's administrator: makes the
// service's own user, which may add to the event log and read it, but neither change nor delete what is in it.
// MongoDB's privileges only add up, none takes away: so every other collection is named, and events with less.

/* global db, require */
const fs = require('node:fs');

const everything = [
  'find',
  'insert',
  'update',
  'remove',
  'createCollection',
  'createIndex',
  'dropIndex',
  'listIndexes',
  'collStats',
];
const appendOnly = ['find', 'insert', 'createCollection', 'createIndex', 'listIndexes', 'collStats'];

const collections = [
  'apis',
  'chain_heads',
  'checkpoint_keys',
  'checkpoints',
  'credentials',
  'idempotency_keys',
  'instances',
  'migrations',
  'operations',
  'outbox',
  'refusals',
  'resource_servers',
  'settings',
  'tokens',
  'user_locks',
  'users',
];

const latchkey = db.getSiblingDB('latchkey');
const on = (collection, actions) => ({ resource: { db: 'latchkey', collection }, actions });

latchkey.createRole({
  role: 'latchkeyService',
  privileges: [
    on('', ['listCollections']),
    on('events', appendOnly),
    ...collections.map((collection) => on(collection, everything)),
  ],
  roles: [],
});

latchkey.createUser({
  user: 'latchkey',
  pwd: fs.readFileSync('/run/latchkey/mongodb-password', 'utf8').trim(),
  roles: ['latchkeyService'],
});
