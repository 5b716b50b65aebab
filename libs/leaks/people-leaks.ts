import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '#config';
import type { Config } from '#config';
import { ApiKeyRepository, SessionRepository, UserRepository, endsOf } from '#identity';
import { Clock, digest } from '#kernel';
import { hasPassed } from './domain/leak.ts';
import type { FoundLeak } from './domain/leak.ts';

/** Finds the user to whom an API key or a session cookie belongs. */
@Injectable()
export class PeopleLeaks {
  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly sessions: SessionRepository,
    private readonly users: UserRepository,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async apiKey(text: string): Promise<FoundLeak | undefined> {
    const key = await this.keys.findByDigest(digest(text));
    return key === undefined ? undefined : this.ofUser(key.userId, key.id, key.expiresAt);
  }

  async sessionCookie(text: string): Promise<FoundLeak | undefined> {
    const session = await this.sessions.findByDigest(digest(text));
    if (session === undefined) return undefined;
    return this.ofUser(session.userId, session.id, endsOf(session, this.config.sessions).idleExpiresAt);
  }

  private async ofUser(userId: string, id: string, expiresAt: Date | null): Promise<FoundLeak | undefined> {
    const user = (await this.users.findCurrent(userId))?.state;
    if (user === undefined) return undefined;
    return {
      id,
      belongsTo: {
        ...{ type: 'user', id: userId, name: user.username },
        ...{ operationId: null, owner: null, contact: null },
      },
      live: !hasPassed(expiresAt, this.clock.nowMs()),
      expiresAt,
      blocked: user.status === 'disabled' ? 'disabled' : null,
    };
  }
}
