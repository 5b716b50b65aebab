import { z } from 'zod';
import {
  CredentialDeleted,
  CredentialSecretEnded,
  CredentialSecretRotated,
  CredentialSecretsReconciled,
  LogReconciled,
  ResourceServerDeleted,
  ResourceServerSecretEnded,
  ResourceServerSecretRotated,
  ResourceServerSecretsReconciled,
  TokenRevoked,
} from '#event-types';
import { chainName } from '../chain/chain.ts';
import type { LogEvent } from '../chain/chain.ts';

/** What a tombstone is about; `mark` says only how far a chain had come, `reconciled` that older marks of it no longer hold. */
const KINDS = ['credential', 'resource-server', 'secret', 'token', 'mark', 'reconciled'] as const;

const instant = z.iso.datetime({ precision: 3 });
const id = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

const tombstoneSchema = z.strictObject({
  v: z.literal(1),
  kind: z.enum(KINDS),
  /** Public ids of what ended; never a secret or a token. */
  ids: z.array(id),
  /** Whose secrets or tokens they are: a credential or a resource server. */
  of: id.optional(),
  /** When a secret ends, where that is later than the event. */
  endsAt: instant.optional(),
  /** Of a `reconciled` line: marks of its chain up to this time no longer hold. */
  supersedes: instant.optional(),
  chain: id,
  seq: z.number().int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: instant,
});

/** One line of a tombstone file: what an event ended, and the place of that event in its chain. */
export type Tombstone = z.output<typeof tombstoneSchema>;

/** Longest time that a token lives, in milliseconds: after it, a token that was revoked cannot come back. */
export const MAX_TOKEN_LIFE_MS = 3_600_000;

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
  [unversioned(CredentialSecretsReconciled.type), secretsEndedAgain],
  [unversioned(ResourceServerSecretsReconciled.type), secretsEndedAgain],
  [unversioned(LogReconciled.type), ({ data }): Ending[] => [reconciliation(data)]],
]);

/** A log may hold events of older versions of a type, and they end the same things. */
function unversioned(type: string): string {
  return type.replace(/\.v\d+$/, '');
}

function reconciliation(data: LogEvent['data']): Ending {
  return { kind: 'reconciled', ids: [], supersedes: reconciled.parse(data).lostAt };
}

/** Whether events of the type end a credential, a resource server, a secret or a token. */
export function endsSomething(type: string): boolean {
  return READERS.has(unversioned(type));
}

/** The tombstones of an event; none for most types. */
export function tombstonesOf(event: LogEvent): Tombstone[] {
  const read = READERS.get(unversioned(event.type));
  if (read === undefined) return [];
  const { seq, hash, at, operationId } = event;
  return read(event)
    .filter(({ kind, ids }) => kind === 'reconciled' || ids.length > 0)
    .map((ending) => ({ v: 1, ...ending, chain: chainName(operationId), seq, hash, at }));
}

/** That the chain had come to this event; of a checkpoint, say. */
export function markOf(chain: string, seq: number, hash: string, at: string): Tombstone {
  return { v: 1, kind: 'mark', ids: [], chain, seq, hash, at };
}

export function encodeTombstone(tombstone: Tombstone): string {
  return `${JSON.stringify(tombstone)}\n`;
}

/** @throws Error that says what is wrong with the line, and repeats nothing of it */
export function parseTombstone(line: string): Tombstone {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error('it is not JSON');
  }
  const result = tombstoneSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`its member ${issue?.path.join('.') || '(root)'} is missing or not valid`);
}
