import type { Migration } from '../migration.ts';

/** Indexes that serve the search for credentials across operations. */
export const credentialSearch: Migration = {
  number: 5,
  name: 'credential-search',
  run: (steps) =>
    steps.createLayout({
      credentials: [
        { key: { owner: 1, _id: 1 }, name: 'credential_owner' },
        { key: { labels: 1, _id: 1 }, name: 'credential_labels' },
        { key: { expiresAt: 1 }, name: 'credential_expires_at' },
      ],
    }),
};
