import type { Migration } from '../migration.ts';

/** What credentials were used for, by the hour; each document is removed after 90 days. */
export const usage: Migration = {
  number: 7,
  name: 'usage',
  run: (steps) =>
    steps.createLayout({
      usage: [{ key: { credentialId: 1, hour: 1 } }, { key: { hour: 1 }, expireAfterSeconds: 90 * 86_400 + 3_600 }],
    }),
};
