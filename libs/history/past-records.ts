import { Injectable } from '@nestjs/common';
import { NO_RULES, workingSecrets, recordOf, CredentialSearch } from '#credentials';
import type { InheritedRules, CredentialRecord, CredentialState } from '#credentials';
import {
  CredentialCreated,
  CredentialSecretEnded,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  TokenIssued,
  TokenRevoked,
  anyVersion,
} from '#event-types';
import { EventLog } from '#events';
import { DomainError, NO_POLICY } from '#kernel';
import type { OperationPolicy } from '#kernel';
import { bounded } from '#mongo';
import { pastSecrets } from './past-secrets.ts';
import type { PastSecret } from './past-secrets.ts';
import type { PastEvent, PastState } from './past-state.ts';
import { CredentialHistory } from './credential-history.ts';
import type { PastCredential, SubjectEvent } from './credential-history.ts';

const SECRET_TYPES = [
  CredentialCreated,
  CredentialSecretRotated,
  CredentialSecretEnded,
  CredentialSecretsReconciled,
].map(anyVersion);
const TOKEN_TYPES = [TokenIssued, TokenRevoked].map(anyVersion);
const MAX_TOKEN_LIFE_MS = 3_600_000;

/** What was judged by at a moment, with the events that had decided it. */
export interface PastRecord {
  /** undefined: the credential did not exist then */
  readonly record: CredentialRecord | undefined;
  readonly liveTokens: readonly PastToken[];
  readonly decidedBy: Readonly<Record<DecidedPart, readonly SubjectEvent[]>>;
}

export interface PastToken {
  readonly id: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The parts of a record that events decide. */
export type DecidedPart = 'existence' | 'secrets' | 'status' | 'expiry' | 'addresses' | 'apis' | 'tokens';

const NOTHING_DECIDED: PastRecord['decidedBy'] = {
  existence: [],
  secrets: [],
  status: [],
  expiry: [],
  addresses: [],
  apis: [],
  tokens: [],
};

/** Rebuilds from the event log what a credential was judged by at a moment. */
@Injectable()
export class PastRecords {
  constructor(
    private readonly history: CredentialHistory,
    private readonly credentials: CredentialSearch,
    private readonly log: EventLog,
  ) {}

  /** @throws DomainError `not-found` if there never was such a credential, `before-retention` */
  async at(operationId: string, credentialId: string, moment: Date): Promise<PastRecord> {
    const found = await bounded(this.credentials.withIds([credentialId]));
    const current = found.find((state) => state.operationId === operationId);
    if (current === undefined) await this.requireEvents(operationId, credentialId);
    await this.history.requireRetained(moment, [operationId]);
    const [past] = await this.history.at(moment, [credentialId]);
    if (past === undefined) return { record: undefined, liveTokens: [], decidedBy: NOTHING_DECIDED };
    const secretEvents = await this.history.eventsOf(credentialId, SECRET_TYPES);
    const tokenEvents = await this.history.eventsOf(credentialId, TOKEN_TYPES, {
      $gt: new Date(moment.getTime() - MAX_TOKEN_LIFE_MS),
      $lte: moment,
    });
    return rebuilt(past, current, secretEvents, tokenEvents, moment);
  }

  private async requireEvents(operationId: string, credentialId: string): Promise<void> {
    const known = this.log.events.exists({ 'subject.id': credentialId, 'subject.type': 'credential', operationId });
    if ((await bounded(known.exec())) === null) throw DomainError.notFound('credential');
  }
}

function rebuilt(
  { id, operationId, credential, operation }: PastCredential,
  current: CredentialState | undefined,
  secretEvents: readonly SubjectEvent[],
  tokenEvents: readonly SubjectEvent[],
  at: Date,
): PastRecord {
  const of = (name: keyof CredentialState): never => valueOf(credential, name) as never;
  const inherited = inheritedAt(operation, current, secretEvents);
  const expiresAt = valueOf(credential, 'expiresAt') as Date | string | null;
  const record = recordOf({
    _id: id,
    operationId,
    clientId: (credential.valueOf('clientId')?.value ?? credential.ofDeletion('clientId')) as string,
    apis: of('apis'),
    allowedIps: of('allowedIps'),
    status: of('status'),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    tokenTtlSeconds: of('tokenTtlSeconds'),
    tokenLimitPolicy: of('tokenLimitPolicy'),
    secrets: pastSecrets(secretEvents, current?.secrets ?? [], at).map((secret) => storedSecret(secret, inherited)),
    inherited,
    version: 0, // a past record admits nobody, so nothing is tied to its version
  });
  const tokens = liveTokens(tokenEvents, at);
  const last = (events: readonly PastEvent[]): SubjectEvent[] => (events as SubjectEvent[]).slice(-1);
  const set = (state: PastState, name: string): SubjectEvent[] => last(state.settingEvents(name));
  const policy = set(operation, 'policy');
  return {
    record,
    liveTokens: tokens.map(({ token }) => token),
    decidedBy: {
      existence: set(credential, 'name'),
      secrets: [...last(secretEvents.filter((event) => event.at <= at)), ...policy],
      status: [...set(credential, 'status'), ...set(operation, 'status')],
      expiry: set(credential, 'expiresAt'),
      addresses: set(credential, 'allowedIps'),
      apis: set(credential, 'apis'),
      tokens: [...set(credential, 'tokenLimitPolicy'), ...tokens.map(({ event }) => event)],
    },
  };
}

function valueOf(state: PastState, name: string): unknown {
  const past = state.valueOf(name);
  if (past !== undefined) return past.value;
  throw new DomainError(
    'before-retention',
    'The events that tell what the credential was at that moment are archived. Look into the archive.',
  );
}

function storedSecret({ id, createdAt, expiresAt }: PastSecret, { maxSecretAgeDays, exemptSecretIds }: InheritedRules) {
  // its age decides only where the operation has a maximum
  const isAgeless = maxSecretAgeDays === null || exemptSecretIds.includes(id);
  if (createdAt === undefined && !isAgeless) {
    throw new DomainError(
      'before-retention',
      'The event with the age of a secret at that moment is archived. Look into the archive.',
    );
  }
  return { id, digest: '', createdAt: createdAt ?? new Date(0), expiresAt, lastUsedAt: null };
}

/** The rules that the credential had taken over from its operation (docs/adr/0035-rules-of-the-operation.md). */
function inheritedAt(
  operation: PastState,
  current: CredentialState | undefined,
  secretEvents: readonly PastEvent[],
): InheritedRules {
  const suspended = operation.valueOf('status')?.value === 'suspended';
  const { maxSecretAgeDays } = (operation.valueOf('policy')?.value ?? NO_POLICY) as OperationPolicy;
  const change = operation.settingEvents('policy').findLast(changesMaximumAge);
  if (change === undefined) {
    const isSince = operation.laterEvents('policy').some(changesMaximumAge);
    const exemptSecretIds = isSince ? [] : (current?.inherited.exemptSecretIds ?? []);
    return { suspended, maxSecretAgeDays, exemptSecretIds };
  }
  if (change.data['enforce'] !== 'new' || maxSecretAgeDays === null) {
    return { suspended, maxSecretAgeDays, exemptSecretIds: [] };
  }
  const before = policyIn(change, 'before');
  const rules = { ...NO_RULES, maxSecretAgeDays: before?.maxSecretAgeDays ?? null };
  const then = pastSecrets(secretEvents, current?.secrets ?? [], change.at).map((secret) => ({
    ...{ id: secret.id, digest: '', lastUsedAt: null, expiresAt: secret.expiresAt },
    createdAt: secret.createdAt ?? change.at,
  }));
  const exemptSecretIds = workingSecrets(then, rules, change.at).live.map(({ id }) => id);
  return { suspended, maxSecretAgeDays, exemptSecretIds };
}

function changesMaximumAge(event: PastEvent): boolean {
  return policyIn(event, 'before')?.maxSecretAgeDays !== policyIn(event, 'after')?.maxSecretAgeDays;
}

function policyIn({ data }: PastEvent, part: 'before' | 'after'): OperationPolicy | undefined {
  return (data[part] as { readonly policy?: OperationPolicy } | undefined)?.policy;
}

/** The tokens that were live, each with the event of its issue. */
function liveTokens(events: readonly SubjectEvent[], at: Date): { token: PastToken; event: SubjectEvent }[] {
  const live = new Map<string, { token: PastToken; event: SubjectEvent }>();
  for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
    const { tokenId, tokenIds, evictedTokenId, expiresAt } = event.data;
    for (const ended of [...((tokenIds ?? []) as string[]), evictedTokenId]) live.delete(String(ended));
    if (typeof tokenId !== 'string') continue;
    const token = { id: tokenId, issuedAt: event.at, expiresAt: new Date(String(expiresAt)) };
    if (token.expiresAt > at) live.set(tokenId, { token, event });
  }
  return [...live.values()];
}
