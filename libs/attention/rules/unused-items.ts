import type { GovernedCredential } from '#credentials';
import type { AttentionItem } from '../attention-item.ts';
import { disableFix, removeApisFix } from '../fixes.ts';
import { UNUSED_DAYS, credentialItem, daysBefore } from './credential-item.ts';

/** Whether the credential got no token for 90 days, and is older than that. */
export function isUnused({ state: { createdAt, lastUsedAt } }: GovernedCredential, at: Date): boolean {
  return (lastUsedAt ?? createdAt) < daysBefore(at, UNUSED_DAYS);
}

export function unusedItem(credential: GovernedCredential): AttentionItem {
  const { createdAt, lastUsedAt } = credential.state;
  const detail =
    lastUsedAt === null
      ? `It was never used since ${createdAt.toISOString()}. Disable it, and delete it when nobody misses it.`
      : `It was last used at ${lastUsedAt.toISOString()}. Disable it, and delete it when nobody misses it.`;
  const since = lastUsedAt ?? createdAt;
  return credentialItem(credential, {
    kind: 'credential-unused',
    severity: 'info',
    since,
    detail,
    fix: disableFix(credential),
  });
}

/** What is known of the APIs of a credential in the last 90 days. */
export interface ApiFacts {
  readonly used: ReadonlySet<string>;
  /** Granted within these days; `unknown` if the event log does not tell. */
  readonly granted: ReadonlySet<string> | 'unknown';
}

/** Whether it is old enough, and used enough, to be judged API by API. */
export function isJudgedByApi(credential: GovernedCredential, at: Date): boolean {
  const { apis, createdAt } = credential.state;
  return apis.length > 0 && createdAt < daysBefore(at, UNUSED_DAYS) && !isUnused(credential, at);
}

/**
 * The APIs that were granted more than 90 days ago and not called since. A token that was issued for an API does not
 * use it; an introspection or a forward-auth that accepts it does.
 */
export function unusedApisItem(credential: GovernedCredential, { used, granted }: ApiFacts, at: Date): AttentionItem[] {
  if (granted === 'unknown') return [];
  const { apis } = credential.state;
  const unused = apis.filter((api) => !used.has(api) && !granted.has(api));
  if (unused.length === 0) return [];
  const detail =
    `It may call ${unused.join(', ')}, but no introspection or forward-auth has accepted that for ${UNUSED_DAYS} days. ` +
    'Take away what it does not need.';
  const since = daysBefore(at, UNUSED_DAYS);
  const fix = removeApisFix(credential, unused);
  return [credentialItem(credential, { kind: 'apis-unused', severity: 'info', since, detail, fix })];
}
