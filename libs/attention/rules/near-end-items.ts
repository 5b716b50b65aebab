import type { GovernedCredential } from '#credentials';
import type { AttentionItem } from '../attention-item.ts';
import { endSecretFix, expiryFix, rotateFix } from '../fixes.ts';
import { credentialItem, daysBefore, latest } from './credential-item.ts';

type NearEnd = ReturnType<GovernedCredential['nearEnds']>[number];

const SEVERITY = { 1: 'critical', 7: 'critical', 14: 'warning', 30: 'info' } as const;

/** What ends within 30 days: the facts that notices are written about. */
export function nearEndItems(credential: GovernedCredential, at: Date): AttentionItem[] {
  return credential.nearEnds(at).map((end) => nearEndItem(credential, end, at));
}

function nearEndItem(
  credential: GovernedCredential,
  { kind, secret, endsAt, daysLeft }: NearEnd,
  at: Date,
): AttentionItem {
  const { state } = credential;
  const end = endsAt.toISOString();
  const since = latest(daysBefore(endsAt, daysLeft), secret?.createdAt ?? state.createdAt);
  const common = { since, until: endsAt, severity: SEVERITY[daysLeft] };
  if (kind === 'credential') {
    const detail = `It expires at ${end}: from then on it gets no token, and its tokens are refused. Move its expiry, or let it end.`;
    return credentialItem(credential, {
      kind: 'credential-expiring',
      ...common,
      detail,
      fix: expiryFix(credential, at),
    });
  }
  if (kind === 'secret') {
    const detail = `Its secret ${secret?.id} ends at ${end}: from then on clients that have no other get no token. Rotate it, and give them the new one.`;
    return credentialItem(credential, { kind: 'secret-expiring', ...common, detail, fix: rotateFix(credential, at) });
  }
  const detail =
    `A client still uses the old secret ${secret?.id} (last at ${secret?.lastUsedAt?.toISOString()}), which ends at ${end}. ` +
    'Give that client the new secret, then end the old one.';
  const fix = endSecretFix(credential, secret?.id ?? '');
  return credentialItem(credential, { kind: 'rotation-ending-in-use', ...common, detail, fix });
}
