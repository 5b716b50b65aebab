import type { Migration } from '../migration.ts';

/** The sessions and heartbeats of the running instances. */
export const instances: Migration = {
  number: 2,
  name: 'instances',
  run: (steps) => steps.createLayout({ instances: [{ key: { seenAt: 1 }, expireAfterSeconds: 3_600 }] }),
};
