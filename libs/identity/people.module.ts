import { Module } from '@nestjs/common';
import { ApiKeyRepository } from './persistence/api-key.repository.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { SessionEnding } from './session-ending.ts';

/** Users, their sessions and API keys as stored. Needs only the store, no Redis and no identity provider. */
@Module({
  providers: [ApiKeyRepository, SessionEnding, SessionRepository, UserRepository],
  exports: [ApiKeyRepository, SessionEnding, SessionRepository, UserRepository],
})
export class PeopleModule {}
