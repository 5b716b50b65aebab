import { z } from 'zod';
import { chainName } from '#chain';
import type { ChainName } from '#chain';
import { MAX_SESSION_HOURS } from '#config';

/** Kinds of objects that have ended for good. */
const ENDED_KINDS = ['credential', 'resource-server', 'secret', 'token', 'user', 'session', 'api-key'] as const;
/** Whether a user may come in. This can change again and again, so only the newest line of a user counts. */
const STATUS_KINDS = ['user-disabled', 'user-enabled'] as const;
/** `mark`: only a position that the chain had reached. `reconciled`: invalidates older marks of the chain. */
const CHAIN_KINDS = ['mark', 'reconciled'] as const;

const instant = z.iso.datetime({ precision: 3 });
const id = z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/);

const tombstoneSchema = z.strictObject({
  v: z.literal(1),
  kind: z.enum([...ENDED_KINDS, ...STATUS_KINDS, ...CHAIN_KINDS]),
  /** Public ids of the objects; never a secret or a token. */
  ids: z.array(id),
  /** The owner: the credential or resource server of secrets or tokens, the user of sessions or API keys. */
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

/** The longest life of objects that expire, in milliseconds. No restore can revive one that is older. */
export const MAX_LIFE_MS: Readonly<Partial<Record<Tombstone['kind'], number>>> = {
  token: 3_600_000,
  session: MAX_SESSION_HOURS * 3_600_000,
};

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
