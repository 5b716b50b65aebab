import type { Migration } from '../migration.ts';

/** The sessions of people who signed in with a browser; each is removed when it is over. */
export const sessions: Migration = {
  number: 3,
  name: 'sessions',
  run: (steps) =>
    steps.createLayout({
      sessions: [{ key: { userId: 1, lastSeenAt: -1 } }, { key: { endsAt: 1 }, expireAfterSeconds: 0 }],
    }),
};
