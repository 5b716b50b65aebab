import { Module } from '@nestjs/common';
import { PasswordsModule } from '#passwords';
import { ResetAdminHandler } from './commands/reset-admin.command.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { SessionEnding } from './session-ending.ts';

/** Resets an administrator's password. Needs only the store, no Redis and no identity provider. */
@Module({
  imports: [PasswordsModule],
  providers: [ResetAdminHandler, SessionEnding, SessionRepository, UserRepository],
})
export class AdminResetModule {}
