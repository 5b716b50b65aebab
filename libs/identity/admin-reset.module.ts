import { Module } from '@nestjs/common';
import { ResetAdminHandler } from './commands/reset-admin.command.ts';
import { Passwords } from './passwords.ts';
import { SessionRepository } from './persistence/session.repository.ts';
import { UserRepository } from './persistence/user.repository.ts';
import { SessionEnding } from './session-ending.ts';

/** What resetting an administrator's password needs: the store alone, no Redis and no identity provider. */
@Module({ providers: [Passwords, ResetAdminHandler, SessionEnding, SessionRepository, UserRepository] })
export class AdminResetModule {}
