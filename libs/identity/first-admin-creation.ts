import { Injectable } from '@nestjs/common';
import { UnitOfWork, systemContext } from '#events';
import { bounded } from '#mongo';
import { NewPasswords } from '#passwords';
import { platformAdmin } from './domain/platform-admin.ts';
import { User } from './domain/user.ts';
import { UserRepository } from './persistence/user.repository.ts';

/** Creates the first platform-admin. */
@Injectable()
export class FirstAdminCreation {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly newPasswords: NewPasswords,
  ) {}

  /** @returns whether it created one @throws DomainError `weak-password`, `store-unavailable` */
  async createUnlessThereAreUsers(admin: { readonly username: string; readonly password: string }): Promise<boolean> {
    const { username, password } = admin;
    if (!(await bounded(this.users.isEmpty()))) return false;
    const passwordHash = await this.newPasswords.hashOf(password, username, '');
    return this.unitOfWork.run(systemContext('first-admin'), { chains: [null] }, async (transaction) => {
      await this.users.takeTurn(transaction.session);
      if (!(await this.users.isEmpty(transaction.session))) return false;
      const user = User.create(platformAdmin(username, passwordHash), transaction.at);
      await this.users.insert(user, transaction.session);
      transaction.publish(user);
      return true;
    });
  }
}
