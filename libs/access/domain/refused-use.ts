import { isLiveSecret } from '#kernel';
import { refusalOfAddress, refusalOfState } from './judgement.ts';
import type { JudgedCredential } from './judgement.ts';
import { effectiveScope } from './scope.ts';

/** A credential as it is judged at one moment. */
export interface CredentialAtMoment extends JudgedCredential {
  readonly apis: readonly string[];
  /** An empty list allows any address. */
  readonly allowedIpTexts: readonly string[];
  readonly secrets: readonly { readonly id: string; readonly expiresAt: Date | null }[];
}

/** A change of a credential. */
export interface CredentialChange {
  readonly before: CredentialAtMoment;
  /** undefined: it is deleted */
  readonly after: CredentialAtMoment | undefined;
  readonly nowMs: number;
}

/** Uses of a credential from one address, of one API or with one secret. */
export interface Sighting {
  readonly name: string;
  readonly count: number;
  readonly lastSeenAt: Date;
}

export interface SeenUse {
  readonly addresses: readonly Sighting[];
  readonly apis: readonly Sighting[];
  readonly secrets: readonly Sighting[];
}

/** Whether the change refuses every use that was possible before. */
export function refusesAll({ before, after, nowMs }: CredentialChange): boolean {
  return isUsable(before, before, nowMs) && !isUsable(after, before, nowMs);
}

/**
 * The part of what was seen that is refused by the change. What was refused before the change is not among it.
 *
 * Addresses and APIs are counted separately, so a use from a lost address of a lost API is in both lists.
 */
export function refusedUse(change: CredentialChange, { addresses, apis, secrets }: SeenUse): SeenUse {
  const { before, after, nowMs } = change;
  if (refusesAll(change)) {
    return {
      addresses: addresses.filter(({ name }) => mayBeUsedFrom(before, before, name)),
      apis: apis.filter(({ name }) => before.apis.includes(name)),
      secrets: secrets.filter(({ name }) => hasLiveSecret(before, name, nowMs)),
    };
  }
  if (after === undefined || !isUsable(before, before, nowMs)) return { addresses: [], apis: [], secrets: [] };
  const isLost = (holds: (credential: CredentialAtMoment) => boolean): boolean => holds(before) && !holds(after);
  return {
    addresses: addresses.filter(({ name }) => isLost((credential) => mayBeUsedFrom(credential, before, name))),
    apis: apis.filter(({ name }) => isLost((credential) => credential.apis.includes(name))),
    secrets: secrets.filter(({ name }) => isLost((credential) => hasLiveSecret(credential, name, nowMs))),
  };
}

/** Whether a live token becomes worthless, or loses an API or the address that it was issued to. */
export function affectsToken(
  change: CredentialChange,
  token: { readonly scope: readonly string[]; readonly issuedTo: string | null },
  isEnded: boolean,
): boolean {
  const { before, after, nowMs } = change;
  const scopeBefore = effectiveScope(token.scope, before.apis);
  if (refusalOfState(before, nowMs) !== undefined || scopeBefore.length === 0) return false;
  if (isEnded || after === undefined || refusalOfState(after, nowMs) !== undefined) return true;
  if (effectiveScope(token.scope, after.apis).length < scopeBefore.length) return true;
  const { issuedTo } = token;
  return issuedTo !== null && mayBeUsedFrom(before, before, issuedTo) && !mayBeUsedFrom(after, before, issuedTo);
}

/** Whether anybody who used it before can use it: with an API, and with a secret that they know. */
function isUsable(
  credential: CredentialAtMoment | undefined,
  before: CredentialAtMoment,
  nowMs: number,
): credential is CredentialAtMoment {
  if (credential === undefined || refusalOfState(credential, nowMs) !== undefined) return false;
  const known = before.secrets.filter((secret) => isLiveSecret(secret, nowMs));
  const isKnown = known.length === 0 || known.some(({ id }) => hasLiveSecret(credential, id, nowMs));
  return isKnown && credential.apis.length > 0;
}

function hasLiveSecret({ secrets }: CredentialAtMoment, secretId: string, nowMs: number): boolean {
  return secrets.some((secret) => secret.id === secretId && isLiveSecret(secret, nowMs));
}

/**
 * A collective name (`other`, `unknown`) stands for several addresses: it may be used until a range of before is
 * missing, since some of its addresses may then be refused.
 */
function mayBeUsedFrom(credential: CredentialAtMoment, before: CredentialAtMoment, address: string): boolean {
  if (COLLECTIVE_NAMES.has(address)) {
    const { allowedIpTexts } = credential;
    if (allowedIpTexts.length === 0) return true;
    const isKept = (range: string): boolean => allowedIpTexts.includes(range);
    return before.allowedIpTexts.length > 0 && (address === 'unknown' || before.allowedIpTexts.every(isKept));
  }
  return refusalOfAddress(credential, address) === undefined;
}

/** Addresses beyond those that are counted one by one, and uses without an address. */
const COLLECTIVE_NAMES: ReadonlySet<string> = new Set(['other', 'unknown']);
