import type { CredentialRecord } from '#credentials';
import { TokenIssued } from '#event-types';
import type { PendingEvent } from '#events';
import { digest, newAccessToken, newId } from '#kernel';
import { TOKEN_LIMIT, mayBeLiveElsewhere } from '#tokens';
import type { TokenDocument, TokenSlot } from '#tokens';
import { TokenLimitReached } from './domain/access-error.ts';
import { chooseSlot } from './domain/token-slots.ts';
import type { SlotChoice } from './domain/token-slots.ts';

/** A token request that has passed every check but the token limit. */
export interface IssueRequest {
  readonly credential: CredentialRecord;
  readonly secretId: string;
  readonly scope: readonly string[];
  readonly ip: string | null;
  readonly requestId: string;
  /** The deadline of the answer, by `performance.now()`. */
  readonly deadlineAtMs: number;
}

/** A token, as RFC 6749 5.1 answers it; or `stale`. */
export type IssueOutcome =
  | {
      readonly stale: false;
      readonly accessToken: string;
      readonly expiresIn: number;
      readonly scope: readonly string[];
    }
  | { readonly stale: true };

/** A request with its new token, which is valid only after the commit. */
export interface PreparedIssue {
  readonly request: IssueRequest;
  readonly accessToken: string;
  readonly digest: string;
  readonly tokenId: string;
}

export function prepareIssue(request: IssueRequest): PreparedIssue {
  const accessToken = newAccessToken(request.credential.clientId);
  return { request, accessToken, digest: digest(accessToken), tokenId: newId('tk') };
}

/** The writes of one transaction for a batch, and the outcome for each caller. */
export interface SettledBatch {
  readonly outcomes: readonly (IssueOutcome | Error)[];
  readonly tokens: readonly TokenDocument[];
  /** Digests of the stored tokens that were replaced. */
  readonly replaced: readonly string[];
  readonly events: readonly PendingEvent[];
  /** The stored tokens of the credentials afterwards. */
  readonly slots: ReadonlyMap<string, readonly TokenSlot[]>;
}

/**
 * Assigns a slot to each request of the batch.
 *
 * @param isStale whether the credential was changed since the request was evaluated
 * @param stored the stored tokens of each credential of the batch, by its id
 */
export function settleBatch(
  issues: readonly PreparedIssue[],
  isStale: (issue: PreparedIssue) => boolean,
  stored: ReadonlyMap<string, readonly TokenSlot[]>,
  now: Date,
): SettledBatch {
  const slotsOf = new Map(stored);
  const inserted = new Map<string, TokenDocument>();
  const replaced: string[] = [];
  const events: PendingEvent[] = [];
  const outcomes = issues.map((issue): IssueOutcome | Error => {
    const { credential } = issue.request;
    if (isStale(issue)) return { stale: true };
    const slots = slotsOf.get(credential.id) ?? [];
    try {
      const choice = chooseSlot(slots, TOKEN_LIMIT, credential.tokenLimitPolicy, now);
      const token = tokenOf(issue, choice.slot, now);
      slotsOf.set(credential.id, slots.filter((taken) => taken !== choice.replaced).concat(slotOf(token)));
      // a token of this batch was never stored
      if (choice.replaced !== undefined && !inserted.delete(choice.replaced._id)) replaced.push(choice.replaced._id);
      inserted.set(token._id, token);
      events.push(issuedEvent(issue, token, choice, now));
      return {
        stale: false,
        accessToken: issue.accessToken,
        expiresIn: credential.tokenTtlSeconds,
        scope: issue.request.scope,
      };
    } catch (error) {
      if (error instanceof TokenLimitReached) return error;
      throw error;
    }
  });
  return { outcomes, tokens: [...inserted.values()], replaced, events, slots: slotsOf };
}

/** The cached part of a token. */
function slotOf({ _id, id, credentialId, slot, expiresAt, issuedAt }: TokenDocument): TokenSlot {
  return { _id, id, credentialId, slot, expiresAt, issuedAt };
}

function tokenOf({ request, digest: _id, tokenId }: PreparedIssue, slot: number, now: Date): TokenDocument {
  const { credential, scope, ip } = request;
  // `iat` and `exp` are whole seconds, so the token expires exactly at the second in introspection answers
  const issuedAtMs = Math.floor(now.getTime() / 1000) * 1000;
  return {
    _id,
    id: tokenId,
    credentialId: credential.id,
    operationId: credential.operationId,
    clientId: credential.clientId,
    slot,
    scope: [...scope],
    issuedAt: now,
    expiresAt: new Date(issuedAtMs + credential.tokenTtlSeconds * 1000),
    issuedTo: ip,
  };
}

function issuedEvent(
  { request, tokenId }: PreparedIssue,
  token: TokenDocument,
  { replaced, evicted }: SlotChoice,
  at: Date,
): PendingEvent {
  const { credential, secretId, ip, requestId } = request;
  const data = { tokenId, secretId, scope: token.scope, expiresAt: token.expiresAt.toISOString() };
  return {
    event: new TokenIssued(
      { operationId: credential.operationId, id: credential.id },
      evicted && replaced !== undefined ? { ...data, evictedTokenId: replaced.id } : data,
    ),
    endsTokens: replaced !== undefined && mayBeLiveElsewhere(replaced, at),
    context: { actor: { type: 'client', id: credential.clientId, ip }, requestId },
    at,
  };
}
