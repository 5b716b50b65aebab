import type { Migration } from '../migration.ts';

/** The API keys of service users; each takes one of the two places of its user. */
export const apiKeys: Migration = {
  number: 4,
  name: 'api-keys',
  run: (steps) =>
    steps.createLayout({ api_keys: [{ key: { userId: 1, slot: 1 }, unique: true, name: 'api_key_slot' }] }),
};
