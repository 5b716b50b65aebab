import type { Tombstone } from './tombstone.ts';

/** Whether each user was last disabled or enabled, by the lines that were added, in any order. */
export class UserStatuses {
  private readonly newest = new Map<string, Tombstone>();

  add(line: Tombstone): void {
    if (!isStatus(line)) return;
    for (const id of line.ids) {
      const known = this.newest.get(id);
      if (known === undefined || isNewer(line, known)) this.newest.set(id, line);
    }
  }

  /** Whether the line is the newest one about this user. */
  isNewest({ at, seq }: Tombstone, id: string): boolean {
    const newest = this.newest.get(id);
    return newest?.at === at && newest.seq === seq;
  }

  /** The time since which a user is disabled; undefined if it is enabled or no line is about it. */
  disabledSince(id: string): Date | undefined {
    const newest = this.newest.get(id);
    return newest?.kind === 'user-disabled' ? new Date(newest.at) : undefined;
  }

  /** The ids of all users who are disabled. */
  disabled(): string[] {
    return [...this.newest.keys()].filter((id) => this.disabledSince(id) !== undefined);
  }
}

/** Whether the line says that users were disabled or enabled. */
export function isStatus({ kind }: Tombstone): boolean {
  return kind === 'user-disabled' || kind === 'user-enabled';
}

/** By time first: a restored chain counts its positions again from an earlier one. */
function isNewer(one: Tombstone, other: Tombstone): boolean {
  return one.at === other.at ? one.seq > other.seq : one.at > other.at;
}
