import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ICommandHandler } from '@nestjs/cqrs';
import { UnitOfWork } from '#events';
import { DomainError } from '#kernel';
import type { CallContext } from '#kernel';
import { bounded } from '#mongo';
import { NewPasswords } from '#passwords';
import { noLocalPassword } from '../domain/user.ts';
import { PasswordSignIn } from '../password-sign-in.ts';
import { UserRepository } from '../persistence/user.repository.ts';
import { SessionEnding } from '../session-ending.ts';

/** A user changes their own password. Both passwords are plain text here, and nowhere after the handler. */
export class ChangePasswordCommand extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly currentPassword: string,
    readonly newPassword: string,
    /** The caller's session, which stays; every other one ends. */
    readonly sessionId: string | undefined,
  ) {
    super();
  }
}

@CommandHandler(ChangePasswordCommand)
export class ChangePasswordHandler implements ICommandHandler<ChangePasswordCommand> {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly users: UserRepository,
    private readonly passwordSignIn: PasswordSignIn,
    private readonly newPasswords: NewPasswords,
    private readonly sessionEnding: SessionEnding,
  ) {}

  async execute({ context, currentPassword, newPassword, sessionId }: ChangePasswordCommand): Promise<void> {
    const { id, ip } = context.actor;
    const asking = await bounded(this.users.find(id));
    if (asking === undefined || asking.state.passwordHash === null) throw noLocalPassword();
    const { username } = asking.state;
    const address = ip ?? 'unknown';
    // the guess limits of the sign-in apply, so that an open session is no way to guess the password
    const verified = await this.passwordSignIn.signIn(username, currentPassword, address);
    if (verified?.id !== id) throw wrongPassword();
    const passwordHash = await this.newPasswords.hashOf(newPassword, username, '/newPassword', { address, username });
    await this.unitOfWork.run(context, { chains: [null], altersRights: true }, async (transaction) => {
      const user = await this.users.load(id, transaction.session);
      // of two simultaneous changes, the second one has shown a password that is no longer current
      if (user.state.passwordHash !== verified.passwordHash) throw wrongPassword();
      if (user.edit({ passwordHash }, transaction.at)) await this.users.save(user, transaction.session);
      transaction.publish(user);
      await this.sessionEnding.end(transaction, id, 'password-changed', (session) => session.id !== sessionId);
    });
  }
}

function wrongPassword(): DomainError {
  const message = 'The current password is wrong.';
  return new DomainError('wrong-password', message, {
    errors: [{ pointer: '/currentPassword', code: 'wrong-password', message }],
  });
}
