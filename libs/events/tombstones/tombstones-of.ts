import { z } from 'zod';
import { chainName } from '#chain';
import type { LogEvent } from '#chain';
import {
  ApiKeyDeleted,
  CredentialDeleted,
  CredentialSecretEnded,
  CredentialSecretRevoked,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  LogReconciled,
  ResourceServerDeleted,
  ResourceServerSecretEnded,
  ResourceServerSecretRevoked,
  ResourceServerSecretRotated,
  ResourceServerSecretsReconciled,
  SessionsEnded,
  TokenRevoked,
  UserDeleted,
  UserUpdated,
} from '#event-types';
import { MAX_LIFE_MS } from './tombstone.ts';
import type { Tombstone } from './tombstone.ts';

type Ending = Pick<Tombstone, 'kind' | 'ids' | 'of' | 'endsAt' | 'supersedes'>;

const tokens = z.object({ tokenIds: z.array(z.string()) });
const rotated = z.object({
  endedSecretIds: z.array(z.string()).default([]),
  previousSecretId: z.string().nullish(),
  previousEndsAt: z.string().nullish(),
});
const ended = z.object({ secretId: z.string() });
const endedAgain = z.object({ secretIds: z.array(z.string()) });
const reconciled = z.object({ lostAt: z.string() });
const sessions = z.object({ sessionIds: z.array(z.string()) });
const apiKey = z.object({ keyId: z.string() });
const status = z.object({ status: z.string() });
const statuses = z.object({ before: status, after: status });

type Reader = (event: LogEvent) => Ending[];

const tokensRevoked: Reader = ({ data, subject }) => [
  { kind: 'token', ids: tokens.parse(data).tokenIds, of: subject.id },
];
const secretsRotated: Reader = ({ data, subject }) => {
  const { endedSecretIds, previousSecretId, previousEndsAt } = rotated.parse(data);
  const gone: Ending[] = [{ kind: 'secret', ids: endedSecretIds, of: subject.id }];
  if (previousSecretId == null || previousEndsAt == null || endedSecretIds.includes(previousSecretId)) return gone;
  return [...gone, { kind: 'secret', ids: [previousSecretId], of: subject.id, endsAt: previousEndsAt }];
};
const secretEnded: Reader = ({ data, subject }) => [
  { kind: 'secret', ids: [ended.parse(data).secretId], of: subject.id },
];
const secretsEndedAgain: Reader = ({ data, subject }) => [
  { kind: 'secret', ids: endedAgain.parse(data).secretIds, of: subject.id },
];
const sessionsEnded: Reader = ({ data, subject }) => [
  { kind: 'session', ids: sessions.parse(data).sessionIds, of: subject.id },
];
const apiKeyDeleted: Reader = ({ data, subject }) => [
  { kind: 'api-key', ids: [apiKey.parse(data).keyId], of: subject.id },
];
const userUpdated: Reader = ({ data, subject }) => {
  const changed = statuses.safeParse(data);
  // user.updated.v1 has no status, which users of version 0.1.0 did not have
  if (!changed.success || changed.data.before.status === changed.data.after.status) return [];
  return [{ kind: changed.data.after.status === 'disabled' ? 'user-disabled' : 'user-enabled', ids: [subject.id] }];
};

const READERS: ReadonlyMap<string, Reader> = new Map([
  [unversioned(CredentialDeleted.type), ({ subject }): Ending[] => [{ kind: 'credential', ids: [subject.id] }]],
  [
    unversioned(ResourceServerDeleted.type),
    ({ subject }): Ending[] => [{ kind: 'resource-server', ids: [subject.id] }],
  ],
  [unversioned(TokenRevoked.type), tokensRevoked],
  [unversioned(CredentialSecretRotated.type), secretsRotated],
  [unversioned(ResourceServerSecretRotated.type), secretsRotated],
  [unversioned(CredentialSecretEnded.type), secretEnded],
  [unversioned(ResourceServerSecretEnded.type), secretEnded],
  [unversioned(CredentialSecretRevoked.type), secretEnded],
  [unversioned(ResourceServerSecretRevoked.type), secretEnded],
  [unversioned(CredentialSecretsReconciled.type), secretsEndedAgain],
  [unversioned(ResourceServerSecretsReconciled.type), secretsEndedAgain],
  [unversioned(UserDeleted.type), ({ subject }): Ending[] => [{ kind: 'user', ids: [subject.id] }]],
  [unversioned(UserUpdated.type), userUpdated],
  [unversioned(SessionsEnded.type), sessionsEnded],
  [unversioned(ApiKeyDeleted.type), apiKeyDeleted],
  [unversioned(LogReconciled.type), ({ data }): Ending[] => [reconciliation(data)]],
]);

/** The kinds of the objects that end with these events, and that expire anyway. */
const EXPIRING: ReadonlyMap<string, Tombstone['kind']> = new Map([
  [unversioned(TokenRevoked.type), 'token'],
  [unversioned(SessionsEnded.type), 'session'],
]);

/** A log may contain older versions of a type, which end the same objects. */
function unversioned(type: string): string {
  return type.replace(/\.v\d+$/, '');
}

function reconciliation(data: LogEvent['data']): Ending {
  return { kind: 'reconciled', ids: [], supersedes: reconciled.parse(data).lostAt };
}

/** Whether events of the type can have tombstones. */
export function endsSomething(type: string): boolean {
  return READERS.has(unversioned(type));
}

/** The age from which on events of the type need no tombstones, because what they ended would have expired. */
export function maxAgeMs(type: string): number {
  const kind = EXPIRING.get(unversioned(type));
  return (kind === undefined ? undefined : MAX_LIFE_MS[kind]) ?? Infinity;
}

/** The tombstones of an event; empty for most types. */
export function tombstonesOf(event: LogEvent): Tombstone[] {
  const read = READERS.get(unversioned(event.type));
  if (read === undefined) return [];
  const { seq, hash, at, operationId } = event;
  return read(event)
    .filter(({ kind, ids }) => kind === 'reconciled' || ids.length > 0)
    .map((ending) => ({ v: 1, ...ending, chain: chainName(operationId), seq, hash, at }));
}
