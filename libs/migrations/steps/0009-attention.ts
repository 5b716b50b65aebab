import type { Migration } from '../migration.ts';

/** What GET /v1/attention reads: last uses, refusals of credentials, and chains that do not verify. */
export const attention: Migration = {
  number: 9,
  name: 'attention',
  run: (steps) =>
    steps.createLayout({
      last_uses: [
        { key: { credentialId: 1, kind: 1, lastSeenAt: -1 } },
        { key: { lastSeenAt: 1 }, expireAfterSeconds: 90 * 86_400 + 3_600 },
      ],
      usage: [{ key: { 'refused.reason': 1, credentialId: 1, hour: 1 } }],
      chain_faults: [],
    }),
};
