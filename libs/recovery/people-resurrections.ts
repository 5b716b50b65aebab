import { Injectable } from '@nestjs/common';
import { UserUpdated } from '#event-types';
import { EventLog, toLogEvent, tombstonesOf } from '#events';
import type { EventDocument, Tombstone, UserStatuses } from '#events';
import { ApiKeyRepository, SessionRepository, UserRepository, isExpired } from '#identity';
import { Clock } from '#kernel';
import { bounded } from '#mongo';
import type { Resurrection } from './resurrection.ts';

const USERS_PER_QUERY = 200;

/** Finds users, sessions and API keys that are live again, and users who are enabled again. */
@Injectable()
export class PeopleResurrections {
  constructor(
    private readonly users: UserRepository,
    private readonly sessions: SessionRepository,
    private readonly keys: ApiKeyRepository,
    private readonly log: EventLog,
    private readonly clock: Clock,
  ) {}

  /** Users, sessions and API keys that have a tombstone. */
  async find(tombstones: readonly Tombstone[]): Promise<Resurrection[]> {
    const of = (kind: Tombstone['kind']): readonly Tombstone[] => tombstones.filter((line) => line.kind === kind);
    const [removed, ended, deleted] = [of('user'), of('session'), of('api-key')];
    const [users, sessions, keys] = await Promise.all([
      removed.length === 0 ? [] : bounded(this.users.existing(removed.flatMap(({ ids }) => ids))),
      ended.length === 0 ? [] : bounded(this.sessions.liveOf(ownersOf(ended), this.clock.now())),
      deleted.length === 0 ? [] : bounded(this.keys.ofUsers(ownersOf(deleted))),
    ]);
    const liveKeys = keys.filter((key) => !isExpired(key, this.clock.nowMs()));
    const themselves = users.map(({ id }) => ({ id, userId: id }));
    return [
      ...alive('user', themselves, removed),
      ...alive('session', sessions, ended),
      ...alive('api-key', liveKeys, deleted),
    ];
  }

  /**
   * Users whose newest status is disabled, by the tombstones and by the log of the store, and who are enabled.
   *
   * @param statuses of all tombstones; receives those that only the log knows
   */
  async enabledAgain(statuses: UserStatuses): Promise<Resurrection[]> {
    const disabled = statuses.disabled();
    const found: Resurrection[] = [];
    for (let from = 0; from < disabled.length; from += USERS_PER_QUERY) {
      const users = await bounded(this.users.existing(disabled.slice(from, from + USERS_PER_QUERY)));
      const enabled = users.filter(({ status }) => status === 'active').map(({ id }) => id);
      for (const line of await this.loggedStatuses(enabled)) statuses.add(line);
      for (const id of enabled) {
        const endedAt = statuses.disabledSince(id);
        if (endedAt !== undefined) found.push({ kind: 'user-disabled', id, owner: { type: 'user', id }, endedAt });
      }
    }
    return found;
  }

  /** An instance may have been killed between the commit that enabled a user and its tombstone. */
  private async loggedStatuses(userIds: readonly string[]): Promise<Tombstone[]> {
    if (userIds.length === 0) return [];
    const filter = { type: UserUpdated.type, 'subject.id': { $in: userIds } };
    const events = await bounded(this.log.events.collection.find(filter).toArray());
    return events.flatMap((event) => tombstonesOf(toLogEvent(event as unknown as EventDocument)));
  }
}

function ownersOf(tombstones: readonly Tombstone[]): string[] {
  return [...new Set(tombstones.flatMap(({ of }) => of ?? []))];
}

function alive(
  kind: 'user' | 'session' | 'api-key',
  stored: readonly { readonly id: string; readonly userId: string }[],
  tombstones: readonly Tombstone[],
): Resurrection[] {
  const endedAt = new Map(tombstones.flatMap(({ ids, at }) => ids.map((id) => [id, new Date(at)] as const)));
  return stored.flatMap(({ id, userId }) => {
    const ended = endedAt.get(id);
    return ended === undefined ? [] : [{ kind, id, owner: { type: 'user', id: userId }, endedAt: ended }];
  });
}
