import type { Migration } from '../migration.ts';

/** Indexes that find the owner of a leaked secret. */
export const leakedSecrets: Migration = {
  number: 6,
  name: 'leaked-secrets',
  run: (steps) =>
    steps.createLayout({
      credentials: [{ key: { 'secrets.digest': 1 }, name: 'credential_secret' }],
      resource_servers: [{ key: { 'secrets.digest': 1 }, name: 'resource_server_secret' }],
    }),
};
