import { z } from 'zod';
import {
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
  TokenRevoked,
} from '#event-types';
import { chainName } from '../chain/chain-name.ts';
import type { LogEvent } from '../chain/chain.ts';
import type { ChainName } from '../chain/chain-name.ts';

/** `mark`: only a position that the chain had reached. `reconciled`: invalidates older marks of the chain. */
const KINDS = ['credential', 'resource-server', 'secret', 'token', 'mark', 'reconciled'] as const;

const instant = z.iso.datetime({ precision: 3 });
const id = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

const tombstoneSchema = z.strictObject({
  v: z.literal(1),
  kind: z.enum(KINDS),
  /** Public ids of the ended objects; never a secret or a token. */
  ids: z.array(id),
  /** The owner of the secrets or tokens: a credential or a resource server. */
  of: id.optional(),
  /** The expiry of a secret, if it is later than the event. */
  endsAt: instant.optional(),
  /** For `reconciled`: marks of the chain up to this time are invalid. */
  supersedes: instant.optional(),
  chain: id.transform(chainName),
  seq: z.number().int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  at: instant,
});

/** One line of a tombstone file: the objects that an event ended, and the position of that event. */
export type Tombstone = z.output<typeof tombstoneSchema>;

/** The maximum lifetime of a token. After it, a revoked token cannot be revived. */
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
  [unversioned(CredentialSecretRevoked.type), secretEnded],
  [unversioned(ResourceServerSecretRevoked.type), secretEnded],
  [unversioned(CredentialSecretsReconciled.type), secretsEndedAgain],
  [unversioned(ResourceServerSecretsReconciled.type), secretsEndedAgain],
  [unversioned(LogReconciled.type), ({ data }): Ending[] => [reconciliation(data)]],
]);

/** A log may contain older versions of a type, which end the same objects. */
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

/** The tombstones of an event; empty for most types. */
export function tombstonesOf(event: LogEvent): Tombstone[] {
  const read = READERS.get(unversioned(event.type));
  if (read === undefined) return [];
  const { seq, hash, at, operationId } = event;
  return read(event)
    .filter(({ kind, ids }) => kind === 'reconciled' || ids.length > 0)
    .map((ending) => ({ v: 1, ...ending, chain: chainName(operationId), seq, hash, at }));
}

/** A mark at this event, for example from a checkpoint. */
export function markOf(chain: ChainName, seq: number, hash: string, at: string): Tombstone {
  return { v: 1, kind: 'mark', ids: [], chain, seq, hash, at };
}

export function encodeTombstone(tombstone: Tombstone): string {
  return `${JSON.stringify(tombstone)}\n`;
}

/** @throws Error that says what is wrong and repeats nothing of the line */
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
