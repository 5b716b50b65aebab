import { isLiveSecret } from '#kernel';
import type { LiveSecret } from '#kernel';
import { ScopeRefused, TokenLimitReached } from './access-error.ts';
import { refusalOfAddress, refusalOfState } from './judgement.ts';
import type { JudgedCredential } from './judgement.ts';
import { grantScope } from './scope.ts';
import { chooseSlot } from './token-slots.ts';
import type { OccupiedSlot } from './token-slots.ts';

/** The rules, in the order in which a token request is judged. */
export const JUDGED_RULES = ['exists', 'secret', 'status', 'expiry', 'address', 'api', 'token-limit'] as const;
export type JudgedRule = (typeof JUDGED_RULES)[number];

/** What a request is judged by, at one moment. */
export interface Situation {
  /** undefined: there is no such credential */
  readonly credential:
    | (JudgedCredential & {
        readonly apis: readonly string[];
        readonly allowedIpTexts: readonly string[];
        readonly tokenLimitPolicy: 'reject' | 'evict_oldest';
        readonly secrets: readonly Pick<LiveSecret, 'expiresAt'>[];
      })
    | undefined;
  readonly liveTokens: readonly OccupiedSlot[];
  readonly tokenLimit: number;
  readonly at: Date;
}

/** A token request with a secret of the credential, for one API, from an address. */
export interface SimulatedRequest {
  readonly api: string;
  readonly ip: string;
}

export interface Check {
  readonly rule: JudgedRule;
  readonly passed: boolean;
  readonly detail: string;
}

export interface Verdict {
  readonly allowed: boolean;
  /** The reason as the event log would record it; null if allowed. */
  readonly reason: string | null;
  readonly checks: readonly Check[];
}

/** Judges with the functions that judge real requests. The first rule that fails is the reason. */
export function simulate({ credential, liveTokens, tokenLimit, at }: Situation, request: SimulatedRequest): Verdict {
  if (credential === undefined) {
    const detail = 'The credential did not exist.';
    return { allowed: false, reason: 'unknown-client', checks: [{ rule: 'exists', passed: false, detail }] };
  }
  const nowMs = at.getTime();
  const { blocked, expiresAtMs, apis, allowedIpTexts, tokenLimitPolicy } = credential;
  const refusals: readonly (readonly [JudgedRule, string | undefined])[] = [
    ['exists', undefined],
    ['secret', credential.secrets.some((secret) => isLiveSecret(secret, nowMs)) ? undefined : 'expired-secret'],
    ['status', refusalOfState({ blocked, expiresAtMs: Infinity }, nowMs)],
    ['expiry', refusalOfState({ blocked: undefined, expiresAtMs }, nowMs)],
    ['address', refusalOfAddress(credential, request.ip)],
    ['api', refused(ScopeRefused, 'scope', () => grantScope(request.api, apis))],
    [
      'token-limit',
      refused(TokenLimitReached, 'token-limit', () => chooseSlot(liveTokens, tokenLimit, tokenLimitPolicy, at)),
    ],
  ];
  const facts: Facts = { allowedIpTexts, tokenLimit, live: liveTokens.length };
  const checks = refusals.map(([rule, reason]) => ({
    rule,
    passed: reason === undefined,
    detail: reason === undefined ? passedDetails[rule](facts) : (failedDetails[reason]?.(facts) ?? reason),
  }));
  const reason = refusals.find(([, refusal]) => refusal !== undefined)?.[1] ?? null;
  return { allowed: reason === null, reason, checks };
}

interface Facts {
  readonly allowedIpTexts: readonly string[];
  readonly tokenLimit: number;
  readonly live: number;
}

const passedDetails: Readonly<Record<JudgedRule, (facts: Facts) => string>> = {
  exists: () => 'The credential exists.',
  secret: () => 'At least one secret works.',
  status: () => 'The credential is active, and its operation is not suspended.',
  expiry: () => 'The credential has not expired.',
  address: ({ allowedIpTexts }) =>
    allowedIpTexts.length === 0 ? 'The credential may be used from any address.' : 'The Allowed IPs admit the address.',
  api: () => 'The credential may call the API.',
  'token-limit': ({ live, tokenLimit }) => `${live} of ${tokenLimit} tokens are live, or the oldest one makes room.`,
};

const failedDetails: Readonly<Record<string, (facts: Facts) => string>> = {
  'expired-secret': () => 'No secret works: each has ended or is older than the operation allows. Rotate the secret.',
  disabled: () => 'The credential is disabled.',
  suspended: () => 'The operation is suspended.',
  expired: () => 'The credential has expired.',
  address: ({ allowedIpTexts }) => `The Allowed IPs do not admit the address: ${allowedIpTexts.join(', ')}.`,
  scope: () => 'The credential may not call the API.',
  'token-limit': ({ tokenLimit }) => `All ${tokenLimit} tokens are live, and the policy is to reject another one.`,
};

/** @throws any other error of the judge */
function refused(refusal: typeof ScopeRefused | typeof TokenLimitReached, reason: string, judge: () => unknown) {
  try {
    judge();
    return undefined;
  } catch (error) {
    if (error instanceof refusal) return reason;
    throw error;
  }
}
