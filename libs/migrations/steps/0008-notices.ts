import type { Migration } from '../migration.ts';

/** What notices were written, and the indexes that find what ends soon. */
export const notices: Migration = {
  number: 8,
  name: 'notices',
  run: (steps) =>
    steps.createLayout({
      notices: [{ key: { endsAt: 1 }, expireAfterSeconds: 86_400 }],
      credentials: [
        { key: { 'secrets.expiresAt': 1 }, name: 'credential_secret_expires_at' },
        { key: { 'inherited.maxSecretAgeDays': 1, 'secrets.createdAt': 1 }, name: 'credential_secret_age' },
      ],
    }),
};
