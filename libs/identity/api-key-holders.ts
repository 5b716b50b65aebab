import { Injectable } from '@nestjs/common';
import { digest, isWellFormedSecret } from '#kernel';
import { bounded } from '#mongo';
import type { ApiKeyState } from './domain/api-key.ts';
import type { UserState } from './domain/user.ts';
import { ApiKeyRepository } from './persistence/api-key.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { SignInTimes } from './sign-in-times.ts';

/** Finds API keys with the service users who hold them, as they are stored now. */
@Injectable()
export class ApiKeyHolders {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly users: UserRepository,
    private readonly times: SignInTimes,
  ) {}

  /** @returns undefined for a key that does not exist; without a user when it was deleted meanwhile */
  async find(apiKey: string): Promise<{ key: ApiKeyState; user: UserState | undefined } | undefined> {
    if (!isWellFormedSecret(apiKey, 'api-key')) return undefined;
    const key = await bounded(this.keys.findByDigest(digest(apiKey)));
    if (key === undefined) return undefined;
    return { key, user: (await bounded(this.users.findCurrent(key.userId)))?.state };
  }

  /** Notes when the key was last used and its user last signed in, at most once a minute. */
  noteUse(key: ApiKeyState): void {
    this.times.note(key.id, async (at) => {
      await Promise.all([this.keys.noteUse(key.digest, at), this.users.noteSignIn(key.userId, at)]);
    });
  }
}
