import { Module } from '@nestjs/common';
import { ResetAdminHandler } from './commands/reset-admin.command.ts';
import { Passwords } from './passwords.ts';
import { UserRepository } from './persistence/user.repository.ts';

/** What resetting an administrator's password needs: the store alone, no Redis and no identity provider. */
@Module({ providers: [Passwords, ResetAdminHandler, UserRepository] })
export class AdminResetModule {}
