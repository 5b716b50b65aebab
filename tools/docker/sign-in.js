// Run by mongosh before mongo-init.js: signs in as the administrator, with a password that is in no argument of a
// process.

/* global db, require */
const password = require('node:fs').readFileSync('/run/latchkey/mongodb-root-password', 'utf8').trim();
db.getSiblingDB('admin').auth('root', password);
