import { Module } from '@nestjs/common';
import { PasswordsModule } from '#passwords';
import { ResetAdminHandler } from './commands/reset-admin.command.ts';
import { PeopleModule } from './people.module.ts';

/** Resets an administrator's password. Needs only the store, no Redis and no identity provider. */
@Module({
  imports: [PasswordsModule, PeopleModule],
  providers: [ResetAdminHandler],
})
export class AdminResetModule {}
