import type { StoredSecret } from '#kernel';
import type { PastEvent } from './past-state.ts';

/** A secret that worked at a moment by its own end. `createdAt`: undefined when the event that made it is archived. */
export interface PastSecret {
  readonly id: string;
  readonly createdAt: Date | undefined;
  readonly expiresAt: Date | null;
}

/**
 * The secrets of a credential at a moment, by its own events and by those that it has now.
 *
 * @param events its creation, rotations and ends of secrets, in any order
 */
export function pastSecrets(
  events: readonly PastEvent[],
  current: readonly Pick<StoredSecret, 'id' | 'createdAt' | 'expiresAt'>[],
  at: Date,
): PastSecret[] {
  const ordered = [...events].sort((a, b) => a.seq - b.seq);
  const created = new Map<string, Date | undefined>(current.map((secret) => [secret.id, secret.createdAt]));
  const changedLater = new Set<string>();
  const ends = new Map<string, Date>();
  for (const event of ordered) {
    const { made, ended } = changesOf(event, madeBefore(created, event.at));
    for (const id of ended.keys()) if (!created.has(id)) created.set(id, undefined);
    if (made !== undefined) created.set(made, event.at);
    for (const [id, end] of ended) {
      const known = ends.get(id);
      if (event.at > at) changedLater.add(id);
      else if (known === undefined || end < known) ends.set(id, end);
    }
  }
  // an end that is older than the log is only told by the secret itself
  for (const { id, expiresAt } of current) {
    if (expiresAt !== null && !ends.has(id) && !changedLater.has(id)) ends.set(id, expiresAt);
  }
  return [...created].flatMap(([id, createdAt]) => {
    const expiresAt = ends.get(id) ?? null;
    const worked = (createdAt === undefined || createdAt <= at) && (expiresAt === null || at < expiresAt);
    return worked ? [{ id, createdAt, expiresAt }] : [];
  });
}

/** Ids of the secrets that were made before, the newest last. */
function madeBefore(created: ReadonlyMap<string, Date | undefined>, at: Date): string[] {
  const timeOf = (made: Date | undefined): number => made?.getTime() ?? 0;
  return [...created]
    .filter(([, made]) => timeOf(made) < at.getTime())
    .sort(([, a], [, b]) => timeOf(a) - timeOf(b))
    .map(([id]) => id);
}

interface SecretChanges {
  readonly made: string | undefined;
  /** When each ends, by its id. */
  readonly ended: ReadonlyMap<string, Date>;
}

function changesOf({ type, data, at }: PastEvent, known: readonly string[]): SecretChanges {
  const { secretId, previousSecretId, previousEndsAt, endedSecretIds, secretIds, overlapSeconds, compromised } = data;
  const made = typeof secretId === 'string' ? secretId : undefined;
  if (/^credential\.secret-(?:ended|revoked)\./.test(type)) {
    return { made: undefined, ended: new Map(made === undefined ? [] : [[made, at]]) };
  }
  if (Array.isArray(secretIds)) {
    return { made: undefined, ended: new Map((secretIds as string[]).map((id) => [id, at])) };
  }
  if (Array.isArray(endedSecretIds)) {
    const ended = new Map((endedSecretIds as string[]).map((id) => [id, at]));
    if (typeof previousSecretId === 'string') ended.set(previousSecretId, new Date(String(previousEndsAt)));
    return { made, ended };
  }
  if (typeof overlapSeconds === 'number')
    return { made, ended: rotatedByFirstVersion(known, overlapSeconds, compromised, at) };
  return { made, ended: new Map() };
}

/** Events of version 0.1.0 name no previous secret: it is the newest one before. */
function rotatedByFirstVersion(
  known: readonly string[],
  overlapSeconds: number,
  compromised: unknown,
  at: Date,
): Map<string, Date> {
  const ended = new Map(known.map((id) => [id, at]));
  const previous = known.at(-1);
  const overlapMs = compromised === true ? 0 : overlapSeconds * 1000;
  if (previous !== undefined) ended.set(previous, new Date(at.getTime() + overlapMs));
  return ended;
}
