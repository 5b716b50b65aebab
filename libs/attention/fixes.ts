import type { GovernedCredential } from '#credentials';
import type { Fix } from './attention-item.ts';

const MAX_OVERLAP_SECONDS = 604_800;
const DAY_MS = 86_400_000;
/** How far an expiry is moved where no policy limits it. */
const USUAL_DAYS = 365;

/** Changes attributes of a credential. */
export function editFix(credential: GovernedCredential, body: object, effect: string): Fix {
  return { method: 'PATCH', ...target(credential), body, effect };
}

/** Undone by setting the status to active. */
export function disableFix(credential: GovernedCredential): Fix {
  const effect =
    'Disables the credential: it gets no token, and its tokens are refused. Set the status to active to undo it.';
  return editFix(credential, { status: 'disabled' }, effect);
}

export function removeApisFix(credential: GovernedCredential, apis: readonly string[]): Fix {
  const { path, ifMatch } = target(credential);
  const effect = 'Takes these APIs away, also from its live tokens. Everything else stays.';
  return { method: 'PATCH', path: `${path}/apis`, ifMatch, body: { remove: apis }, effect };
}

export function endSecretFix(credential: GovernedCredential, secretId: string): Fix {
  const { path, ifMatch } = target(credential);
  const effect = 'Ends the old secret now; tokens stay. Do it when every client has the new secret.';
  return { method: 'DELETE', path: `${path}/secrets/${secretId}`, ifMatch, effect };
}

/** Makes a new secret. What signs in now does so for seven more days, unless it ends earlier by the policy. */
export function rotateFix(credential: GovernedCredential, at: Date): Fix {
  const [current, oldest] = credential.liveSecretIds(at);
  const body = {
    overlapSeconds: current === undefined ? 0 : MAX_OVERLAP_SECONDS,
    ...(oldest === undefined ? {} : { endOldest: true }),
  };
  const effects = [
    'Makes a new secret and shows it this once.',
    ...(current === undefined ? [] : ['The present one works for up to seven more days.']),
    ...(oldest === undefined ? [] : ['The oldest of the two live secrets ends now.']),
  ];
  const { path, ifMatch } = target(credential);
  return { method: 'POST', path: `${path}/rotate-secret`, ifMatch, body, effect: effects.join(' ') };
}

/** Moves the expiry as far as the policy lets it. */
export function expiryFix(credential: GovernedCredential, at: Date): Fix {
  const days = Math.min(credential.operation.policy.maxCredentialDays ?? USUAL_DAYS, USUAL_DAYS);
  const expiresAt = new Date(at.getTime() + days * DAY_MS).toISOString();
  return editFix(credential, { expiresAt }, `Moves the expiry to ${expiresAt}, ${days} days from now.`);
}

/** @param addresses from which it was used lately, the latest first @param unnamed whether it was from others, too */
export function allowedIpsFix(
  credential: GovernedCredential,
  { addresses, unnamed }: { readonly addresses: readonly string[]; readonly unnamed: boolean },
  at: Date,
): Fix {
  const allowedIps = credential.acceptableIps(addresses, at);
  if (allowedIps.length === 0) return disableFix(credential);
  const isPartial = unnamed || allowedIps.length < addresses.length;
  const seen = allowedIps.length === 1 ? 'the one address' : `the ${allowedIps.length} addresses`;
  const effect =
    `Lets the credential be used only from ${seen} seen in the last 90 days. ` +
    (isPartial
      ? 'It was also used from others, or from unknown ones: these are refused then.'
      : 'No other use was seen.');
  return editFix(credential, { allowedIps }, effect);
}

function target({ state: { operationId, id, version } }: GovernedCredential): { path: string; ifMatch: string } {
  return { path: `/v1/operations/${operationId}/credentials/${id}`, ifMatch: `"v${version}"` };
}
