import type { Migration } from './migration.ts';
import { firstCollections } from './steps/0001-first-collections.ts';
import { instances } from './steps/0002-instances.ts';
import { sessions } from './steps/0003-sessions.ts';
import { apiKeys } from './steps/0004-api-keys.ts';
import { credentialSearch } from './steps/0005-credential-search.ts';
import { leakedSecrets } from './steps/0006-leaked-secrets.ts';
import { usage } from './steps/0007-usage.ts';
import { notices } from './steps/0008-notices.ts';
import { attention } from './steps/0009-attention.ts';

/** Every migration, in the order of its number: 1, 2, 3, … */
export const migrations: readonly Migration[] = [
  firstCollections,
  instances,
  sessions,
  apiKeys,
  credentialSearch,
  leakedSecrets,
  usage,
  notices,
  attention,
];
