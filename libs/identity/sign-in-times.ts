import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '#kernel';
import { withoutDeadline } from '#mongo';
import { UserRepository } from './persistence/user.repository.ts';

const STEP_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * Stores when a user signed in, at most once a minute: many clients sign in with each request.
 */
@Injectable()
export class SignInTimes {
  private readonly noted = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: STEP_MS });

  constructor(
    private readonly clock: Clock,
    private readonly users: UserRepository,
  ) {}

  /** Notes that the user signed in. */
  noteUser(id: string): void {
    this.note(id, (at) => this.users.noteSignIn(id, at));
  }

  /** @param write stores it; after a failure the next sign-in tries again */
  note(id: string, write: (at: Date) => Promise<unknown>): void {
    if (this.noted.has(id)) return;
    this.noted.set(id, true);
    const at = this.clock.now();
    withoutDeadline(() => void write(at).catch(() => this.noted.delete(id)));
  }
}
