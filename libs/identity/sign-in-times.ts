import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '#kernel';
import { withoutDeadline } from '#mongo';
import { UserRepository } from './persistence/user.repository.ts';

const STEP_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * Notes when someone signed in, at most once a minute each: who signs in with each request must not cost a write with
 * each.
 */
@Injectable()
export class SignInTimes {
  private readonly noted = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: STEP_MS });

  constructor(
    private readonly clock: Clock,
    private readonly users: UserRepository,
  ) {}

  /** Notes it of the user. */
  noteUser(id: string): void {
    this.note(id, (at) => this.users.noteSignIn(id, at));
  }

  /** @param write may fail: then the next sign-in tries again */
  note(id: string, write: (at: Date) => Promise<unknown>): void {
    if (this.noted.has(id)) return;
    this.noted.set(id, true);
    const at = this.clock.now();
    withoutDeadline(() => void write(at).catch(() => this.noted.delete(id)));
  }
}
